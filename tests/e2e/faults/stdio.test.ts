import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { DONJON, donjonRun, execute, makeFolder } from "../../support/keep.ts";
import { examplePath, guestPath, startCommand } from "./command.ts";

const HELLO = join(examplePath("hello"), "hello.wasm");
const shell = (line: string) => execute("/bin/sh", ["-c", line]);
const run = (guest: string, way: string) =>
  `'${DONJON}' run --insecure '${guestPath(guest)}' -- ${way}`;

test("a reader that takes one line ends endless output, quietly", async () => {
  const line = `{ ${run("endings", "flood")}; echo "code $?" >&2; } | head -c 100`;
  const { stdout, stderr } = await shell(line);
  assert.equal(stdout, "x".repeat(100));
  assert.equal(stderr, "code 141\n");
});

/** The same pattern as the guest's. */
function hashPattern(): string {
  const digest = createHash("sha256");
  const words = new Uint32Array(1 << 13);
  let state = 1;
  for (let round = 0; round < 1024; round++) {
    for (let i = 0; i < words.length; i++)
      words[i] = state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    digest.update(words);
  }
  return digest.digest("hex");
}

test("output is whole for a reader that stops and goes, and in a file", async (t) => {
  const wanted = hashPattern();
  const command = startCommand(t, [guestPath("endings"), "--", "pattern"]);
  const digest = createHash("sha256");
  // A read and then a turn of the event loop: the pipe is full again and again.
  for await (const chunk of command.child.stdout!) {
    digest.update(chunk as Buffer);
    await setImmediate();
  }
  assert.deepEqual(await command.ended, { code: 0, signal: null }, command.stderr());
  assert.equal(digest.digest("hex"), wanted);
  const file = join(await makeFolder(t), "out");
  const { stderr } = await shell(`${run("endings", "pattern")} > '${file}'`);
  assert.equal(stderr, "");
  assert.equal(createHash("sha256").update(readFileSync(file)).digest("hex"), wanted);
});

test("a closed stdout and stdin are no failure of their own", async () => {
  const { stdout, stderr } = await shell(
    `'${DONJON}' run --insecure '${HELLO}' >&-; echo "code $?"; ${run("waits", "read")} <&- 2>&1; echo "code $?"`,
  );
  // The guest's read of a closed stdin is at its end at once.
  assert.equal(stdout, "code 0\nwaiting\ncame back\ncode 0\n");
  assert.equal(stderr, "");
});

test("a full device under stdout is told", async () => {
  const { stderr } = await shell(`${run("endings", "flood")} > /dev/full; echo "code $?" >&2`);
  assert.match(
    stderr,
    /^donjon: the output cannot be written: no space left on device\ncode 125\n$/,
  );
});

test("a file or directory that is not there, or has no program, is 127 with a way on", async (t) => {
  const folder = await makeFolder(t);
  mkdirSync(join(folder, "empty"));
  for (const name of ["none.wasm", "none/donjon.toml", "empty"]) {
    const { code, stdout, stderr } = await donjonRun([join(folder, name)]);
    assert.equal(code, 127, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, /^donjon: [^\n]+; (give a \.wasm file|'donjon init')[^\n]+\n$/);
  }
});

test("a manifest whose program is missing is 127 and names the file", async (t) => {
  const folder = await makeFolder(t);
  writeFileSync(join(folder, "donjon.toml"), '[workload]\nfile = "gone.wasm"\n');
  const { code, stderr } = await donjonRun([folder]);
  assert.equal(code, 127, stderr);
  assert.match(stderr, /gone\.wasm/);
});

test("a file that may not be read is told as such", async (t) => {
  // Root may read everything, so someone else has to try.
  const setpriv = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
  const isRoot = process.getuid?.() === 0;
  if (isRoot && spawnSync("setpriv", [...setpriv, "true"]).status !== 0) {
    return t.skip("SKIPPED: root may read everything, and there is no setpriv to be someone else");
  }
  const folder = await makeFolder(t);
  chmodSync(folder, 0o755);
  const file = join(folder, "secret.wasm");
  writeFileSync(file, "", { mode: 0o000 });
  const command = [DONJON, "run", "--insecure", file];
  const { code, stderr } = isRoot
    ? await execute("setpriv", [...setpriv, ...command])
    : await execute(command[0]!, command.slice(1));
  if (/not found|Permission denied|cannot execute/.test(stderr) && !stderr.startsWith("donjon:")) {
    return t.skip(`SKIPPED: another user cannot start the command here: ${stderr.trim()}`);
  }
  assert.ok(code === 125 || code === 127, `${code}: ${stderr}`);
  assert.match(stderr, /^donjon: [^\n]*secret\.wasm[^\n]*\n/);
  assert.match(stderr, /EACCES|permission/i);
});

test("the last line is out even when its reader is behind the program's output", async (t) => {
  const folder = await makeFolder(t);
  const workload = `[workload]\nfile = ${JSON.stringify(relative(folder, guestPath("endings")))}\n`;
  const limits = '[limits]\noutput = "1 MiB"\n';
  writeFileSync(join(folder, "donjon.toml"), `args = ["flood-both"]\n${workload}${limits}`);
  // 16 octets a read: the pipe is full whenever the command wants to write.
  const slowly = "dd bs=16 2>/dev/null | tail -c 100";
  const line = `'${DONJON}' run --insecure '${folder}' 2>&1 >/dev/null | ${slowly}`;
  const { stdout } = await shell(line);
  assert.match(stdout, /donjon: the workload was ended by its output limit of 1\.0 MiB\n$/);
});
