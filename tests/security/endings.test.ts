import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeFolder } from "../support/keep.ts";
import { runGuest } from "./guest.ts";

/** A process shows the low eight bits of its code; a failure must not become 0 by that (docs/manifest.md). */
const EXITS: readonly (readonly [code: number, shown: number])[] = [
  [0, 0],
  [1, 1],
  [2, 2],
  [124, 124],
  [125, 125],
  [126, 126],
  [127, 127],
  [134, 134],
  [255, 255],
  [256, 1],
  [257, 1],
  [2 ** 31, 1],
  [2 ** 32 - 1, 255],
];

for (const [code, shown] of EXITS) {
  test(`exit with ${code} shows as ${shown}, without a message`, async () => {
    const ended = await runGuest("endings", { args: ["exit", `${code}`] });
    assert.deepEqual([ended.code, ended.stdout, ended.stderr], [shown, "", ""]);
  });
}

test("the summary has the whole exit code", async () => {
  const ended = await runGuest("endings", { flags: ["--json"], args: ["exit", "4294967295"] });
  const { run } = JSON.parse(ended.stderr);
  assert.deepEqual(run.outcome, { kind: "exit", code: 4294967295 });
  assert.equal(run.exitCode, 255);
});

test("a trap names its reason", async () => {
  const { code, stderr } = await runGuest("endings", { args: ["trap"] });
  assert.equal(code, 134);
  assert.match(stderr, /^donjon: the workload trapped: unreachable instruction executed\n {4}at /);
});

test("a guest that closes and renumbers stdio gets answers as from files, and its output ends there", async (t) => {
  const folder = await makeFolder(t);
  const { code, stdout, stderr } = await runGuest("endings", {
    flags: ["--dir", `${folder}:/box:rw`],
    args: ["close-stdio"],
  });
  // Its last answer: badf for what is closed already.
  assert.deepEqual([code, stdout, stderr], [8, "late", "late"]);
  const answers = [...readFileSync(join(folder, "answers"), "latin1")].map(
    (letter) => letter.charCodeAt(0) - "!".charCodeAt(0),
  );
  assert.deepEqual(answers, [
    // write, close, close again, write: stdout is gone
    ...[0, 0, 8, 8],
    // close stdin, read
    ...[0, 8],
    // the numbers of the next two files, and a write to the one that is now 1
    ...[0, 1, 0],
    // stderr moved to 1: 2 is gone, 1 is stderr
    ...[0, 8, 0],
    // the directory moved to 0: it works there, and no more at 3
    ...[0, 0, 0, 0, 0],
  ]);
});
