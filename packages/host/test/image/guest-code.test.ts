import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  assembleGuestProgram,
  type GuestCondition,
  type GuestLine,
  type GuestProgram,
} from "../../src/image/guest-code.ts";
import { encodeGuestInit, GUEST_ENGINE, GUEST_RUNTIME } from "../../src/image/guest-init.ts";

const READ = 0;
const WRITE = 1;
const EXECVE = 59;
const EXIT = 60;

/** Runs the program as a process of this machine, which is of the kind that it is for. */
function runHere(program: GuestProgram, input = ""): { status: number | null; stdout: string } {
  const folder = mkdtempSync(join(tmpdir(), "donjon-test-"));
  try {
    const path = join(folder, "program");
    writeFileSync(path, assembleGuestProgram(program));
    chmodSync(path, 0o755);
    const { status, stdout } = spawnSync(path, [], { input, encoding: "latin1" });
    return { status, stdout };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const call = (
  number: number,
  ...args: Extract<GuestLine, { op: "call" }>["arguments"]
): GuestLine => ({
  op: "call",
  call: number,
  arguments: args,
});

test("a program makes its calls in order, with numbers, text and variables as arguments", () => {
  const { status, stdout } = runHere({
    variables: { length: 8, code: 8 },
    lines: [
      { op: "set", to: "length", value: 6 },
      call(WRITE, 1, "hello\n", { variable: "length" }),
      { op: "store", to: "code" },
      { op: "add", to: "code", value: 40 },
      { op: "subtract", to: "code", value: { half: "length", offset: 0 } },
      call(EXIT, { variable: "code" }),
    ],
  });
  assert.deepEqual({ status, stdout }, { status: 40, stdout: "hello\n" });
});

test("a loop copies its input through a buffer, however long it is", () => {
  const input = "0123456789".repeat(1000);
  const { status, stdout } = runHere(
    {
      variables: { bytes: 64, count: 8 },
      lines: [
        { op: "label", name: "next" },
        call(READ, 0, { address: "bytes" }, 64),
        { op: "jump", when: "not-positive", to: "done" },
        { op: "store", to: "count" },
        call(WRITE, 1, { address: "bytes" }, { variable: "count" }),
        { op: "jump", when: "always", to: "next" },
        { op: "label", name: "done" },
        call(EXIT, 3),
      ],
    },
    input,
  );
  assert.deepEqual({ status, stdout }, { status: 3, stdout: input });
});

test("a list of words is what execve takes for arguments", () => {
  const { status, stdout } = runHere({
    variables: {},
    lines: [
      call(
        EXECVE,
        "/bin/sh",
        { words: ["sh", "-c", 'echo "$0 $1 $HOME"', "one", "two", 0] },
        { words: ["HOME=/here", 0] },
      ),
      call(EXIT, 9),
    ],
  });
  assert.deepEqual({ status, stdout }, { status: 0, stdout: "one two /here\n" });
});

/** After which of -1, 0 and 1 a jump is taken. */
const TAKEN: Readonly<Record<GuestCondition, readonly number[]>> = {
  zero: [0],
  negative: [-1],
  "not-negative": [0, 1],
  "not-positive": [-1, 0],
  positive: [1],
  always: [-1, 0, 1],
};

for (const when of Object.keys(TAKEN) as GuestCondition[]) {
  const results = TAKEN[when];
  test(`a jump when ${when} is taken after ${results.join(" or ")} and no other result`, () => {
    const taken = [-1, 0, 1].filter((value) => {
      const lines: GuestLine[] = [
        { op: "add", to: "zero", value },
        { op: "jump", when, to: "taken" },
        call(EXIT, 1),
        { op: "label", name: "taken" },
        call(EXIT, 0),
      ];
      return runHere({ variables: { zero: 8 }, lines }).status === 0;
    });
    assert.deepEqual(taken, results);
  });
}

test("a jump or a variable that does not exist is an error of the program", () => {
  const jump: GuestLine = { op: "jump", when: "always", to: "nowhere" };
  assert.throws(() => assembleGuestProgram({ variables: {}, lines: [jump] }), /nowhere/);
  const store: GuestLine = { op: "store", to: "nothing" };
  assert.throws(() => assembleGuestProgram({ variables: {}, lines: [store] }), /nothing/);
});

test("the guest's first process is one file of a few pages, the same each time, that names what it starts", () => {
  const bytes = encodeGuestInit();
  assert.deepEqual(encodeGuestInit(), bytes);
  assert.ok(bytes.length < 16384, `${bytes.length} octets`);
  const text = Buffer.from(bytes).toString("latin1");
  for (const word of [
    GUEST_ENGINE,
    GUEST_RUNTIME,
    "--permission",
    "/dev/vport0p1",
    "/dev/vport0p2",
  ])
    assert.ok(text.includes(`${word}\0`), word);
  assert.doesNotMatch(text, /\/bin\/|busybox|\bsh\0/);
});
