import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createFiles, runCommand } from "./command.ts";

function createHome(t: TestContext) {
  const home = createFiles(t, {});
  const code = join(home, "donjon/code");
  const list = () =>
    readdirSync(code, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name));
  const run = (...args: string[]) => runCommand(args, { env: { XDG_CACHE_HOME: home } });
  return { home, code, list, run };
}

test("commands leave their compiled code where only this user can read and write it", async (t) => {
  const { code, list, run } = createHome(t);
  const first = await run("help", "verify");
  assert.equal(statSync(code).mode & 0o777, 0o700);
  assert.ok(list().length > 0);
  const second = await run("help", "verify");
  assert.deepEqual([second.code, `${second.stdout}`], [0, `${first.stdout}`]);
});

test("a command works as before when its compiled code was changed or cut", async (t) => {
  const { list, run } = createHome(t);
  const wanted = await run("help", "verify");
  for (const [at, file] of list().entries()) {
    const bytes = readFileSync(file);
    if (at % 2 === 0) bytes[bytes.length >> 1]! ^= 0xff;
    writeFileSync(file, at % 2 === 0 ? bytes : bytes.subarray(0, bytes.length >> 1));
  }
  const after = await run("help", "verify");
  assert.deepEqual([after.code, `${after.stdout}`, after.stderr], [0, `${wanted.stdout}`, ""]);
});

test("compiled code is neither read nor written where others may write", async (t) => {
  for (const [folder, mode] of [
    ["donjon/code", 0o777],
    ["donjon", 0o770],
    ["", 0o777],
  ] as const) {
    const { home, code, list, run } = createHome(t);
    mkdirSync(code, { recursive: true });
    chmodSync(join(home, folder), mode);
    assert.equal((await run("help", "verify")).code, 0);
    assert.deepEqual(list(), [], folder);
  }
});

test("a home that cannot be written costs a command nothing but time", async () => {
  const { code } = await runCommand(["help", "verify"], { env: { XDG_CACHE_HOME: "/proc/none" } });
  assert.equal(code, 0);
  assert.equal(existsSync("/proc/none"), false);
});

test("a run keeps no compiled code", async (t) => {
  const { code, run } = createHome(t);
  await run("run", "--insecure", "/nowhere.wasm");
  assert.equal(existsSync(code), false);
});
