/**
 * What is published: the tarball installs into an empty project, offline, and works as the README says, on the oldest
 * Node, on the pinned one and in a page.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, test } from "node:test";
import { FAKE_NOW, makeEvidence, makeFakeAmd } from "@donjon/testkit/amd";
import { makeFakeIntel, makeIntelEvidence, quoteCollateralV3 } from "@donjon/testkit/intel";
import { makeFakeNitro, makeNitroDocument } from "@donjon/testkit/nitro";
import { packAttest, SUBPATHS } from "../../tools/pack.ts";
import { ROOT } from "./attest-page.ts";
import { type PageFile, runInChromium, skipChromium } from "./chromium.ts";

const VECTORS = process.env["DONJON_VECTORS"] ?? join(ROOT, "../shared/vectors");
const skipVectors = existsSync(join(VECTORS, "INDEX.json"))
  ? false
  : `no vectors at ${VECTORS}; set DONJON_VECTORS to run this test`;
const DEPENDENCIES = ["cborg", "jose", "smol-toml"];
const [NODE_EXAMPLE = "", PAGE_EXAMPLE = ""] = [
  ...readFileSync(join(ROOT, "packages/attest/README.md"), "utf8").matchAll(
    /```js\n([\s\S]*?)```/g,
  ),
].map(([, code = ""]) => code);

/** The machine's own Node, where it is the oldest that the package promises to run on: npm puts the pinned one first. */
const MACHINE_NODE =
  (process.env["PATH"] ?? "")
    .split(delimiter)
    .filter((folder) => !folder.includes("node_modules"))
    .map((folder) => join(folder, "node"))
    .find((file) => existsSync(file)) ?? "node";
const OLD_NODE = spawnSync(MACHINE_NODE, ["--version"], { encoding: "utf8" }).stdout ?? "";
const ENGINES: readonly (readonly [name: string, command: string, skip: string | false])[] = [
  [
    "Node 20",
    MACHINE_NODE,
    OLD_NODE.startsWith("v20.") ? false : `'node' is ${OLD_NODE.trim() || "absent"}, not v20`,
  ],
  ["the pinned Node", process.execPath, false],
];
for (const [name, , skip] of ENGINES) if (skip) console.error(`SKIPPED ${name}: ${skip}`);

let project = "";
const scratch = mkdtempSync(join(tmpdir(), "donjon-pack-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

before(async () => {
  const tarballs = [await packAttest(scratch), ...DEPENDENCIES.map(packDependency)];
  project = join(scratch, "project");
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), `{"name":"empty","private":true}`);
  run("npm", ["install", "--offline", "--no-audit", "--no-fund", ...tarballs], project);
  writeFileSync(join(project, "smoke.mjs"), SMOKE);
  writeFileSync(join(project, "evidence.json"), await encodeEvidence());
});

function packDependency(name: string): string {
  const folder = join(ROOT, "node_modules", name);
  const packed = run("npm", ["pack", "--json", "--ignore-scripts", folder], scratch);
  return join(scratch, JSON.parse(packed)[0].filename);
}

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  assert.equal(status, 0, `${command} ${args.join(" ")}: ${stdout}${stderr}`);
  return stdout;
}

/** Evidence of every kind, as any program could have it: text. */
async function encodeEvidence(): Promise<string> {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
  const amd = await makeEvidence(await makeFakeAmd("Turin"), { version: 5, signer: "vcek" });
  const intel = await makeFakeIntel();
  const quote = async (version: 3 | 5, body: "sgx" | "td-1.5") => {
    const made = await makeIntelEvidence(intel, { version, body });
    return { evidence: base64(made.quote), collateral: quoteCollateralV3(made.collateral) };
  };
  const nitro = await makeFakeNitro();
  return JSON.stringify({
    now: FAKE_NOW,
    roots: { amd: amd.roots, intel: intel.roots, nitro: nitro.roots },
    snp: {
      evidence: base64(amd.report),
      certificates: amd.certificates.map(base64),
      crls: amd.crls.map(base64),
    },
    sgx: await quote(3, "sgx"),
    tdx: await quote(5, "td-1.5"),
    nitro: { evidence: base64(await makeNitroDocument(nitro)) },
  });
}

/** Runs the same in Node and in a page; answers what it proved. */
const SMOKE = `
import { verifyEvidence } from "@donjon/attest/verify";
import { parseQuoteCollateralV3 } from "@donjon/attest/tdx";
import { AttestError } from "@donjon/attest/errors";

const octets = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

export async function prove(given) {
  const proven = [];
  for (const kind of ["snp", "tdx", "sgx", "nitro"]) {
    const { evidence, certificates = [], crls = [], collateral } = given[kind];
    const set = {
      kind,
      evidence: octets(evidence),
      certificates: certificates.map(octets),
      crls: crls.map(octets),
      ...(collateral && { collateral: parseQuoteCollateralV3(collateral) }),
    };
    const options = { now: new Date(Date.parse(given.now) + 3600_000), roots: given.roots };
    proven.push((await verifyEvidence(set, options)).kind);
    set.evidence[300] ^= 1;
    const refused = await verifyEvidence(set, options).then(() => null, (error) => error);
    if (!(refused instanceof AttestError)) throw new Error(kind + " is accepted when changed");
  }
  return proven;
}
`;

test("the package has what its imports need, and nothing of the repository", () => {
  const folder = join(project, "node_modules/@donjon/attest");
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  assert.deepEqual(
    Object.keys(manifest.exports),
    SUBPATHS.map((path) => `./${path}`),
  );
  assert.deepEqual(Object.keys(manifest.dependencies).sort(), DEPENDENCIES);
  assert.equal(existsSync(join(folder, "src")), false);
  assert.deepEqual(JSON.parse(run("npm", ["ls", "--all", "--json"], project)).problems ?? [], []);
});

for (const [name, command, skip] of ENGINES) {
  test(`on ${name} every import loads, and evidence of every kind is proven`, { skip }, () => {
    const imports = SUBPATHS.map((path) => `@donjon/attest/${path}`);
    const script = `
      import { readFileSync } from "node:fs";
      import { prove } from "./smoke.mjs";
      for (const path of ${JSON.stringify(imports)})
        if (Object.keys(await import(path)).length === 0) throw new Error(path + " is empty");
      console.log(JSON.stringify(await prove(JSON.parse(readFileSync("evidence.json", "utf8")))));`;
    writeFileSync(join(project, "all.mjs"), script);
    assert.equal(run(command, ["all.mjs"], project), '["snp","tdx","sgx","nitro"]\n');
  });

  test(`on ${name} the README's example runs as it stands`, { skip: skip || skipVectors }, () => {
    placeRecorded();
    writeFileSync(join(project, "example.mjs"), NODE_EXAMPLE);
    writeFileSync(join(project, "clock.mjs"), CLOCK);
    const text = run(command, ["--import", "./clock.mjs", "example.mjs"], project);
    assert.match(text, EXPLAINED);
  });
}

test("the types are whole: a strict program compiles against them", () => {
  const source = `
    import { appraise, type Policy } from "@donjon/attest/appraise";
    import { createSource, fetchIntelCollateral } from "@donjon/attest/collateral";
    import { AttestError, DonjonError } from "@donjon/attest/errors";
    import { type SnpClaims, verifySnp } from "@donjon/attest/snp";
    import { verifyTdx } from "@donjon/attest/tdx";
    export async function run(report: Uint8Array, quote: Uint8Array, policy: Policy): Promise<string> {
      const verified = await verifySnp(report, { certificates: [] }, { now: new Date() });
      const claims: SnpClaims = verified.claims;
      const collateral = await fetchIntelCollateral(quote, createSource({ fetch }));
      const { anchor } = await verifyTdx(quote, collateral, { now: new Date() });
      // @ts-expect-error: what was not verified cannot be appraised
      appraise({ kind: "snp", claims }, policy);
      return appraise(verified, policy).verdict + anchor.origin + String(new Error() instanceof AttestError || DonjonError);
    }`;
  const options = {
    strict: true,
    module: "nodenext",
    target: "es2022",
    lib: ["es2022", "dom"],
    types: [],
    skipLibCheck: false,
    exactOptionalPropertyTypes: true,
    noEmit: true,
  };
  writeFileSync(join(project, "program.mts"), source);
  const config = { compilerOptions: options, files: ["program.mts"] };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify(config));
  run(join(ROOT, "node_modules/.bin/tsc"), ["-p", "."], project);
});

/** The example asks the clock; what is recorded was valid in its time. */
const CLOCK = `
const at = Date.parse("2022-10-01T00:00:00Z");
globalThis.Date = class extends Date { constructor(...given) { super(...(given.length ? given : [at])); } };
`;
const EXPLAINED =
  /^REFUSED: snp evidence, genuine by ARK-Milan at 2022-10-01[\s\S]*because the measurement[\s\S]*ok {3}snp\/signature/;

/** Files that the example names. */
const RECORDED: Readonly<Record<string, string>> = {
  "report.bin": "go-sev-guest/attestation.bin",
  "vcek.der": "go-sev-guest/vcek.testcer",
  "milan.crl": "steward/amd-milan-2022-05-09.crl.der",
};

function placeRecorded(): void {
  for (const [name, file] of Object.entries(RECORDED))
    copyFileSync(join(VECTORS, file), join(project, name));
}

/** A page without a bundler: the installed files, by an import map. */
function servePage(script: string): (path: string) => PageFile | undefined {
  const at = (name: string, file: string) => [name, `/node_modules/${file}`] as const;
  const imports = Object.fromEntries([
    ...SUBPATHS.map((path) => at(`@donjon/attest/${path}`, `@donjon/attest/dist/${path}.js`)),
    at("cborg", "cborg/cborg.js"),
    at("jose", "jose/dist/webapi/index.js"),
    at("smol-toml", "smol-toml/dist/index.js"),
  ]);
  const html = `<!doctype html><body><script type="importmap">${JSON.stringify({ imports })}</script>
    <script type="module" src="/run.mjs"></script>`;
  return (path) => {
    if (path === "/") return { type: "text/html", body: html };
    if (path === "/run.mjs") return { type: "text/javascript", body: script };
    const file = join(project, path);
    if (!file.startsWith(project) || !existsSync(file)) return undefined;
    const type = /\.m?js$/.test(path) ? "text/javascript" : "application/octet-stream";
    return { type, body: readFileSync(file) };
  };
}

function report(expression: string): string {
  return `await fetch("/result", { method: "POST", body: JSON.stringify(${expression}) });`;
}

test("in a page, unbundled, evidence of every kind is proven", { skip: skipChromium }, async () => {
  const script = `import { prove } from "/smoke.mjs";
    const given = await (await fetch("/evidence.json")).json();
    const proven = await prove(given).catch((error) => String(error.stack));
    ${report("proven")}`;
  const proven = await runInChromium(servePage(script), { timeoutMs: 60_000 });
  assert.deepEqual(proven, ["snp", "tdx", "sgx", "nitro"]);
});

test("in a page the README's example runs as it stands", {
  skip: skipChromium || skipVectors,
}, async () => {
  placeRecorded();
  // Imports come before everything in a module, so the clock is set by one of them.
  writeFileSync(join(project, "clock.mjs"), CLOCK);
  const script = `import "/clock.mjs";\n${PAGE_EXAMPLE}\n${report("document.body.textContent")}`;
  const text = await runInChromium(servePage(script), { timeoutMs: 60_000 });
  assert.match(String(text), EXPLAINED);
});
