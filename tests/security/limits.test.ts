import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { relative } from "node:path";
import { test } from "node:test";
import { DONJON, donjonRun, makeFolder } from "../support/keep.ts";
import { findKeep, listTree, residentBytes, untilAtRest, untilGone } from "../support/processes.ts";
import { guestPath, measureGuest, readNumbers, runGuest } from "./guest.ts";

const MIB = 1 << 20;
const NOSPC = 51;
/** What the engine of a Keep takes with a small guest, with room to spare. */
const ENGINE_BYTES = 130 * MIB;

test("memory grows to its limit, and then not", async () => {
  const { code, stdout, report } = await measureGuest("growth", {
    flags: ["--memory", "16MiB"],
    args: ["memory"],
  });
  assert.equal(code, 0);
  const found = readNumbers(stdout);
  assert.deepEqual([found.get("size"), found.get("huge"), found.get("wraps")], [256, 1, 1]);
  assert.ok(report.usage.peakMemory < ENGINE_BYTES + 16 * MIB, `${report.usage.peakMemory}`);
});

test("a file grows to the limit of files, and its space comes back", async () => {
  const { code, stdout, report } = await measureGuest("growth", {
    flags: ["--tmp", "--files", "32MiB"],
    args: ["content"],
  });
  assert.equal(code, 0);
  const { written, ...answers } = Object.fromEntries(readNumbers(stdout));
  assert.ok(written! > 31 * MIB && written! <= 32 * MIB, `${written}`);
  assert.deepEqual(answers, {
    "ended-with": NOSPC,
    "allocate-2^62": 22,
    "allocate-2^64-1": 28,
    "size-2^63": 28,
    "size-2^64-1": 28,
    "seek-2^63-1": 28,
    "write-there": 0,
    "pwrite-2^64-1": 28,
    shrink: 0,
    "write-after-shrink": 0,
  });
  assert.ok(report.usage.peakMemory < ENGINE_BYTES + 64 * MIB, `${report.usage.peakMemory}`);
});

for (const what of ["holes", "files", "directories", "symlinks", "links"]) {
  test(`${what} without end run into the limit of files, and memory with them`, async () => {
    const { code, stdout, report } = await measureGuest("growth", {
      flags: ["--tmp", "--files", "16MiB"],
      args: [what],
    });
    assert.equal(code, 0);
    assert.equal(readNumbers(stdout).get("ended-with"), NOSPC, stdout);
    // The engine spends a few times as much on a name or a piece as is counted for it, and no more.
    assert.ok(report.usage.peakMemory < ENGINE_BYTES + 64 * MIB, `${report.usage.peakMemory}`);
  });
}

for (const what of ["descriptors", "nameless"]) {
  test(`open ${what === "nameless" ? "files without a name" : what} are limited`, async () => {
    const { code, stdout } = await runGuest("growth", { flags: ["--tmp"], args: [what] });
    assert.equal(code, 0);
    const found = readNumbers(stdout);
    // 4,096 less stdio, the directory and one file that stays open.
    assert.deepEqual([found.get("count"), found.get("ended-with")], [4091, 33]);
  });
}

test("threads are limited, and all end with the program", async () => {
  const { code, stdout } = await runGuest("threads", { flags: ["--tmp"], args: ["spawn"] });
  assert.equal(code, 0);
  assert.equal(stdout, "threads 64\nended-with 6\n");
});

for (const how of ["spin", "spin-calls"]) {
  test(`an endless loop (${how}) ends with the time limit`, async () => {
    const { code, stderr, report } = await measureGuest("endings", {
      flags: ["--time", "300ms"],
      args: [how],
    });
    assert.equal(code, 124, stderr);
    assert.deepEqual(report.outcome, { kind: "limit", limit: "time", value: 300 });
    assert.ok(report.usage.wallMs >= 300 && report.usage.wallMs < 2000, `${report.usage.wallMs}`);
  });
}

test("deep recursion is a trap with its reason", async () => {
  const { code, stderr } = await runGuest("endings", { args: ["recurse"] });
  assert.equal(code, 134);
  assert.match(stderr, /^donjon: the workload trapped: stack overflow\n {4}at .*wasm/);
});

for (const how of ["flood", "flood-both"]) {
  test(`the output limit ends endless output (${how}) at its byte`, async (t) => {
    const folder = await makeFolder(t);
    const manifest = [
      `args = ["${how}"]`,
      "[workload]",
      `file = ${JSON.stringify(relative(folder, guestPath("endings")))}`,
      "[limits]",
      'output = "1 MiB"',
    ];
    await writeFile(`${folder}/donjon.toml`, `${manifest.join("\n")}\n`);
    const { code, stdout, stderr } = await donjonRun([folder]);
    assert.equal(code, 153);
    const end = "donjon: the workload was ended by its output limit of 1.0 MiB\n";
    assert.ok(stderr.endsWith(end), stderr.slice(-200));
    assert.equal(stdout.length + stderr.length - end.length, MIB);
  });
}

test("endless output that nobody reads stops the guest; neither Keep nor command grows", async (t) => {
  const child = spawn(DONJON, ["run", "--insecure", guestPath("endings"), "--", "flood"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const ended = new Promise((resolve) => child.on("exit", resolve));
  t.after(() => child.kill("SIGKILL"));
  const keep = await findKeep(child.pid!);
  const tree = listTree(child.pid!);
  const command = tree.find(({ pid }) => pid === child.pid)!;
  let received = 0;
  const take = async (bytes: number) => {
    const goal = received + bytes;
    while (received < goal) {
      const chunk = child.stdout!.read() as Buffer | null;
      if (chunk === null) await new Promise((resolve) => child.stdout!.once("readable", resolve));
      else received += chunk.length;
    }
  };
  const measure = () => residentBytes(keep) + residentBytes(command);
  // Enough for every buffer on the way to be full, and for the engine's heap to settle.
  await take(128 * MIB);
  // Nobody reads: the Keep comes to rest.
  await untilAtRest(keep);
  const before = measure();
  for (let round = 0; round < 4; round++) {
    await take(64 * MIB);
    await untilAtRest(keep);
  }
  const after = measure();
  t.diagnostic(
    `Keep and command: ${before >> 20} MiB, after 256 MiB more of output ${after >> 20} MiB`,
  );
  assert.ok(after - before < 48 * MIB, `${before} grew to ${after}`);
  assert.ok(after < 500 * MIB, `${after}`);
  child.kill("SIGTERM");
  child.stdout!.resume();
  assert.equal(await ended, 143);
  await untilGone([...tree, keep]);
});
