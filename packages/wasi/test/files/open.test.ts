import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { OpenOptions } from "../../src/capability/files.ts";
import { createMemoryFiles, type MemoryFiles } from "../../src/files/memory-files.ts";
import {
  createTestClock,
  createTestFiles,
  expectOutcome,
  LOOK,
  namesIn,
  openFile,
  readText,
  writeText,
} from "./support.ts";

function expectOpen(
  files: MemoryFiles,
  path: string,
  options: Partial<OpenOptions>,
  wanted: string,
): void {
  expectOutcome(files.open(files.root, path, { ...LOOK, ...options }), wanted);
}

suite("open", () => {
  test("creates, refuses what exists when exclusive, and truncates", () => {
    const files = createTestFiles();
    expectOpen(files, "f", {}, "noent");
    expectOpen(files, "f", { create: true, exclusive: true }, "ok");
    expectOpen(files, "f", { create: true, exclusive: true }, "exist");
    writeText(files, "f", "hello");
    expectOpen(files, "f", { create: true, write: true }, "ok");
    assert.equal(readText(files, "f"), "hello");
    expectOpen(files, "f", { truncate: true }, "ok");
    assert.equal(readText(files, "f"), "");
  });

  test("answers isdir, notdir and inval for directories as Linux and wasmtime do", () => {
    const files = createTestFiles();
    files.makeDirectory(files.root, "d");
    writeText(files, "f", "");
    expectOpen(files, "d", { directory: true }, "ok");
    expectOpen(files, ".", { directory: true, write: true }, "isdir");
    expectOpen(files, "d", { write: true }, "isdir");
    expectOpen(files, "d", { truncate: true }, "isdir");
    expectOpen(files, "d", { create: true }, "isdir");
    expectOpen(files, "d/", { create: true }, "isdir");
    expectOpen(files, "new/", { create: true }, "isdir");
    for (const path of [".", "./", "d/.", "d/..//"]) {
      expectOpen(files, path, { create: true }, "isdir");
      expectOpen(files, path, { create: true, exclusive: true }, "exist");
    }
    expectOpen(files, "d/", { create: true, exclusive: true }, "isdir");
    expectOpen(files, "f", { directory: true }, "notdir");
    expectOpen(files, "f/", {}, "notdir");
    expectOpen(files, "d", { directory: true, create: true }, "inval");
    expectOpen(files, "f/x", { create: true }, "notdir");
    expectOpen(files, "none/x", { create: true }, "noent");
  });

  test("treats symlinks as the follow flag says", () => {
    const files = createTestFiles();
    files.makeSymlink(files.root, "l", "target");
    expectOpen(files, "l", { follow: false }, "loop");
    expectOpen(files, "l", { follow: false, directory: true }, "notdir");
    expectOpen(files, "l", { follow: false, create: true }, "loop");
    expectOpen(files, "l", { create: true, exclusive: true }, "exist");
    expectOpen(files, "l", {}, "noent");
    expectOpen(files, "l", { create: true }, "ok");
    assert.deepEqual(namesIn(files.root), [".", "..", "l", "target"]);
    expectOpen(files, "l", { directory: true }, "notdir");
  });

  test("answers rofs for every change of a read-only file system, and still reads", () => {
    const clock = createTestClock();
    const files = createMemoryFiles({ limitBytes: 1e6, clock });
    files.makeDirectory(files.root, "d");
    const file = writeText(files, "f", "text");
    files.readOnly = true;
    const before = [file.stat(), files.root.stat(), files.used];
    expectOpen(files, "f", { write: true }, "rofs");
    expectOpen(files, "f", { truncate: true }, "rofs");
    expectOpen(files, "new", { create: true }, "rofs");
    expectOpen(files, "f", { create: true }, "ok");
    const bytes = new Uint8Array(1);
    const root = files.root;
    for (const outcome of [
      file.write(bytes, 0, 1, 0),
      file.truncate(0),
      file.allocate(0, 10),
      file.setTimes(0n, 0n),
      root.setTimes(0n, 0n),
      files.makeDirectory(root, "e"),
      files.makeSymlink(root, "l", "f"),
      files.link(root, "f", false, root, "g"),
      files.rename(root, "f", root, "g"),
      files.rename(root, "f", root, "f"),
      files.unlink(root, "f"),
      files.removeDirectory(root, "d"),
    ]) {
      expectOutcome(outcome, "rofs");
    }
    assert.equal(readText(files, "f"), "text");
    assert.deepEqual([file.stat(), root.stat(), files.used], before);
  });
});

suite("unlinked while open", () => {
  test("keeps content until the last release, then gives its space back", () => {
    const files = createTestFiles();
    const empty = files.used;
    const file = writeText(files, "f", "x".repeat(5000));
    files.retain(file);
    files.retain(file);
    expectOutcome(files.unlink(files.root, "f"), "ok");
    assert.equal(file.stat().links, 0);
    files.release(file);
    assert.equal(file.size, 5000);
    assert.equal(file.write(new Uint8Array(10), 0, 10, 5000), 10);
    assert.equal(file.size, 5010);
    files.release(file);
    assert.equal(files.used, empty);
    assert.throws(() => files.release(file), RangeError);
  });

  test("lets nothing be made in a removed directory", () => {
    const files = createTestFiles();
    const empty = files.used;
    files.makeDirectory(files.root, "d");
    const directory = files.lookup(files.root, "d", true);
    assert.ok(typeof directory !== "number" && directory.kind === "directory");
    files.retain(directory);
    files.removeDirectory(files.root, "d");
    assert.deepEqual(namesIn(directory), []);
    expectOutcome(files.makeDirectory(directory, "x"), "noent");
    expectOutcome(files.open(directory, "x", { ...LOOK, create: true }), "noent");
    writeText(files, "f", "");
    expectOutcome(files.rename(files.root, "f", directory, "f"), "noent");
    expectOutcome(files.lookup(directory, "..", true), "perm");
    files.unlink(files.root, "f");
    files.release(directory);
    assert.equal(files.used, empty);
  });
});

suite("limit", () => {
  test("answers nospc at the limit and works again after space was freed", () => {
    const files = createTestFiles(20_000);
    const bytes = new Uint8Array(30_000).fill(1);
    const file = openFile(files, "f", { create: true, write: true });
    expectOutcome(file.write(bytes, 0, 30_000, 0), "nospc");
    assert.equal(file.write(bytes, 0, 15_000, 0), 15_000);
    expectOutcome(file.write(bytes, 0, 5_000, 15_000), "nospc");
    assert.equal(file.size, 15_000);
    file.truncate(0);
    expectOutcome(file.write(bytes, 0, 5_000, 15_000), "nospc");
    let made = 0;
    while (files.makeDirectory(files.root, `d${made}`) === 0) made++;
    assert.ok(made > 10 && made < 60, `${made}`);
    expectOutcome(files.makeSymlink(files.root, "l", "x"), "nospc");
    files.removeDirectory(files.root, "d0");
    expectOutcome(files.makeDirectory(files.root, "again"), "ok");
    assert.ok(files.used <= files.limit);
  });

  test("writes as much of a large write as there is space for", () => {
    const files = createTestFiles(600_000);
    const file = openFile(files, "f", { create: true, write: true });
    const outcome = file.write(new Uint8Array(1_000_000), 0, 1_000_000, 0);
    assert.equal(outcome, 2 * 256 * 1024);
    assert.equal(file.size, outcome);
  });

  test("does not let long paths hide behind short names", () => {
    const files = createTestFiles(2 ** 20);
    const name = "n".repeat(200);
    const before = files.used;
    files.makeDirectory(files.root, name);
    assert.ok(files.used - before >= 200);
  });
});
