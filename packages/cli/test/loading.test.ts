/** Which parts of the built command a command line loads: what is loaded without need is time at every start. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { createFiles, EXAMPLES, runCommand } from "./command.ts";

const HELLO = join(EXAMPLES, "hello");

/** The files in `packages/cli/dist` by the command line that loads them, without their `.cjs`; `HELLO` is a program. */
const PARTS: Readonly<Record<string, string>> = {
  "run --insecure HELLO": "donjon run",
  "run --insecure HELLO/hello.wasm": "donjon run",
  "run --insecure --backend vm HELLO/none.wasm": "donjon run vm",
  "run --print-manifest HELLO": "donjon run",
  "run --help": "donjon run",
  "run --backend process HELLO": "donjon run deploy",
  ps: "donjon keeps",
  "ps --help": "donjon keeps",
  "rm web": "donjon keeps",
  "deploy HELLO": "donjon deploy",
  "logs web": "donjon deploy",
  "attach web": "donjon deploy",
  "stop web": "donjon deploy",
  "attest web": "donjon deploy",
  "": "donjon commands",
  "--help": "donjon commands",
  "--version": "donjon commands",
  "help run": "donjon commands",
  "help ps": "donjon commands",
  "rnu HELLO": "donjon commands",
  "inspect HELLO": "donjon commands",
  "completion bash": "donjon commands",
  "agent --help": "donjon commands",
  "agent stop": "donjon commands agent",
  "policy --help": "donjon commands",
  "policy init --tee snp --image HELLO -o -": "donjon commands deploy",
  "verify HELLO/none": "donjon commands evidence",
  "explain HELLO/none": "donjon commands evidence",
  "image digest HELLO/none": "donjon commands image",
  platform: "donjon commands platform",
};

/** Modules of the engine that take milliseconds to load (docs/decisions/0024). */
const SLOW_MODULES = ["crypto", "http", "http2", "https", "perf_hooks", "tls", "worker_threads"];

/** Those of them that a command line loads. */
const SLOW: Readonly<Record<string, string>> = {
  "run --insecure HELLO/hello.wasm": "",
  "run --print-manifest HELLO": "",
  ps: "http",
  "rm web": "http",
  "--help": "",
  "inspect HELLO": "",
  "agent --help": "",
  "policy --help": "",
  "deploy HELLO": "crypto http https tls",
};

/** Loaded by the engine before the command. Nothing else of the engine's own is loaded for it. */
const HOOK = `
const { writeFileSync } = require("node:fs");
const { reallyExit } = process;
process.reallyExit = (code) => {
  const files = Object.keys(require.cache).filter((path) => path !== __filename);
  writeFileSync(process.env.LOADED, JSON.stringify({ files, modules: process.moduleLoadList }));
  reallyExit.call(process, code);
};
`;

/** What the command line has loaded when it ends: parts of the command, and slow modules of the engine. */
async function listLoaded(t: TestContext, line: string) {
  const root = createFiles(t, { "hook.cjs": HOOK });
  const env = {
    NODE_OPTIONS: `--require=${join(root, "hook.cjs")}`,
    LOADED: join(root, "loaded.json"),
    DONJON_AGENT: `unix:${join(root, "none.sock")}`,
    XDG_CACHE_HOME: root,
    XDG_STATE_HOME: root,
    XDG_RUNTIME_DIR: root,
  };
  const args = line.split(" ").filter((word) => word !== "");
  await runCommand(
    args.map((word) => word.replace("HELLO", HELLO)),
    { env },
  );
  const loaded: { files: string[]; modules: string[] } = JSON.parse(
    readFileSync(env.LOADED, "utf8"),
  );
  for (const path of loaded.files)
    assert.equal(dirname(path), join(import.meta.dirname, "../dist"), path);
  return {
    parts: loaded.files.map((path) => basename(path, ".cjs")).join(" "),
    slow: SLOW_MODULES.filter((name) => loaded.modules.includes(`NativeModule ${name}`)).join(" "),
  };
}

for (const [line, parts] of Object.entries(PARTS)) {
  test(`the command loads ${parts.replaceAll(" ", ", ")} and nothing else when the line is 'donjon ${line}'`, async (t) => {
    assert.equal((await listLoaded(t, line)).parts, parts);
  });
}

for (const [line, slow] of Object.entries(SLOW)) {
  test(`the command loads ${slow.replaceAll(" ", ", ") || "none"} of the engine's slow modules when the line is 'donjon ${line}'`, async (t) => {
    assert.equal((await listLoaded(t, line)).slow, slow);
  });
}
