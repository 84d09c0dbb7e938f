/** Commands whose directories cannot be made say so and end; below /proc the engine's own recursive `mkdir` would not. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { createFiles, EXAMPLES, runCommand } from "./command.ts";

const NOWHERE = "/proc/self/nowhere";
const HELLO = join(EXAMPLES, "hello/hello.wasm");
const VARIABLES = [
  "XDG_CACHE_HOME",
  "XDG_CONFIG_HOME",
  "XDG_STATE_HOME",
  "XDG_RUNTIME_DIR",
] as const;
/** Far more than any of these commands takes. */
const TIMEOUT_MS = 20_000;

type Variable = (typeof VARIABLES)[number];

/** Runs with every directory in a folder of its own, but for those of `bad`. */
async function runWith(
  t: Parameters<typeof createFiles>[0],
  bad: readonly Variable[],
  args: readonly string[],
) {
  const root = createFiles(t, {});
  const env = Object.fromEntries(
    VARIABLES.map((name) => [name, bad.includes(name) ? NOWHERE : join(root, name)]),
  );
  const ended = await runCommand(args, {
    env,
    cwd: root,
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  assert.equal(ended.signal, null, `it hangs: ${args.join(" ")}`);
  return ended;
}

/** Cannot do without the directory. */
const NEEDING: readonly (readonly [Variable, readonly string[]])[] = [
  ["XDG_CACHE_HOME", ["image", "build"]],
  ["XDG_CACHE_HOME", ["image", "update"]],
  ["XDG_CONFIG_HOME", ["run", "--insecure", "--attest", HELLO]],
  ["XDG_STATE_HOME", ["run", "--insecure", "--attest", HELLO]],
  ["XDG_STATE_HOME", ["agent"]],
  ["XDG_STATE_HOME", ["agent", "token", "add", "somebody"]],
  ["XDG_RUNTIME_DIR", ["agent"]],
];

/** Are only slower without it, or do not need it for what they are asked. */
const CONTENT: readonly (readonly [Variable, readonly string[], readonly number[]])[] = [
  ["XDG_CACHE_HOME", ["run", "--insecure", HELLO], [0]],
  ["XDG_STATE_HOME", ["run", "--insecure", HELLO], [0]],
  ["XDG_CACHE_HOME", ["inspect", HELLO], [0]],
  ["XDG_STATE_HOME", ["platform"], [0, 1]],
  ["XDG_CACHE_HOME", ["platform"], [0, 1]],
];

describe("a directory that cannot be made", { concurrency: 2 }, () => {
  for (const [variable, args] of NEEDING) {
    test(`is named, with 125: ${variable}, donjon ${args.slice(0, 3).join(" ").replace(HELLO, "hello.wasm")}`, async (t) => {
      const { code, stderr } = await runWith(t, [variable], args);
      assert.equal(code, 125, stderr);
      assert.match(
        stderr,
        /the directory '\/proc\/self\/nowhere\/[^']*' cannot be made: '\/proc\/self\/nowhere' failed, because nothing can be made there; choose a place/,
      );
    });
  }

  for (const [variable, args, codes] of CONTENT) {
    test(`is done without: ${variable}, donjon ${args.join(" ").replace(HELLO, "hello.wasm")}`, async (t) => {
      const { code, stderr } = await runWith(t, [variable], args);
      assert.ok(codes.includes(code!), `${code} ${stderr}`);
      assert.doesNotMatch(stderr, /nowhere/);
    });
  }
});
