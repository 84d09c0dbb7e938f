/** The verifier's own test files as one page: `node:` modules replaced by `browser/`, files fetched beforehand. */
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { build, type Plugin } from "esbuild";
import type { PageFile } from "./chromium.ts";

export const ROOT = dirname(dirname(import.meta.dirname));
const TESTS = join(ROOT, "packages/attest/test");
const HERE = join(import.meta.dirname, "browser");
const VECTORS = process.env["DONJON_VECTORS"] ?? join(ROOT, "../shared/vectors");

/** Test files that cannot run in a page, each with its reason. */
export const NOT_IN_A_PAGE: Readonly<Record<string, string>> = {
  "collateral/fetch.test.ts":
    "its loopback server is Node's, and a page may not ask another origin",
  "simulated-trust.test.ts": "its simulated security processor keeps its keys in files of Node",
};

const NODE_MODULES: Readonly<Record<string, string>> = {
  "node:test": "test.ts",
  "node:assert/strict": "assert.ts",
  "node:fs": "files.ts",
  "node:path": "files.ts",
  "node:crypto": "crypto.ts",
};

export function listTests(): readonly string[] {
  return globSync("**/*.test.ts", { cwd: TESTS })
    .filter((name) => NOT_IN_A_PAGE[name] === undefined)
    .sort();
}

/** What the page is made of, by path. */
export async function createAttestPage(): Promise<ReadonlyMap<string, PageFile>> {
  return new Map<string, PageFile>([
    [
      "/",
      { type: "text/html", body: '<!doctype html><script type="module" src="/main.js"></script>' },
    ],
    ["/main.js", { type: "text/javascript", body: await bundle() }],
    ["/files.json", { type: "application/json", body: encodeFiles() }],
  ]);
}

async function bundle(): Promise<string> {
  const marks = listTests().map((name) => `import "mark:${name}"; import "${join(TESTS, name)}";`);
  const result = await build({
    absWorkingDir: ROOT,
    stdin: {
      // Imports run in their order, so each mark opens a file for the tests after it.
      contents: `import "mark:files";\n${marks.join("\n")}\nimport "${join(HERE, "main.ts")}";`,
      resolveDir: ROOT,
      loader: "ts",
    },
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2024",
    conditions: ["source"],
    inject: [join(HERE, "buffer.ts")],
    define: { "process.env": "{}" },
    // The package promises importers that its files do nothing by themselves; its tests do.
    ignoreAnnotations: true,
    plugins: [IN_A_PAGE],
    logLevel: "warning",
  });
  return result.outputFiles[0]!.text;
}

const IN_A_PAGE: Plugin = {
  name: "in-a-page",
  setup(plugin) {
    plugin.onResolve({ filter: /^node:/ }, ({ path }) => {
      const file = NODE_MODULES[path];
      return file === undefined ? null : { path: join(HERE, file) };
    });
    plugin.onResolve({ filter: /^mark:/ }, ({ path }) => ({ path, namespace: "mark" }));
    plugin.onLoad({ filter: /.*/, namespace: "mark" }, ({ path }) => ({
      contents:
        path === "mark:files"
          ? `import { addFiles } from ${JSON.stringify(join(HERE, "files.ts"))};
             addFiles(await (await fetch("/files.json")).json());`
          : `import { startFile } from "node:test"; startFile(${JSON.stringify(path.slice(5))});`,
      resolveDir: ROOT,
    }));
    plugin.onLoad({ filter: /packages\/attest\/test\/.*\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8").replaceAll(
        "import.meta.dirname",
        JSON.stringify(dirname(path)),
      ),
      loader: "ts",
    }));
  },
};

/** Vectors, where there are any, and the test sources that one test reads. */
function encodeFiles(): string {
  const vectors = existsSync(VECTORS)
    ? globSync("**/*", { cwd: VECTORS }).map((name) => join(VECTORS, name))
    : [];
  const sources = globSync("**/*.ts", { cwd: TESTS }).map((name) => join(TESTS, name));
  const files = [...vectors, ...sources].filter((path) => statSync(path).isFile());
  return JSON.stringify(
    Object.fromEntries(
      files.map((path) => [pagePath(path), readFileSync(path).toString("base64")]),
    ),
  );
}

/** The page joins paths as the tests do; vectors named by a variable stand where they would by default. */
function pagePath(path: string): string {
  const inside = relative(VECTORS, path);
  return inside.startsWith("..") ? path : join(ROOT, "../shared/vectors", inside);
}
