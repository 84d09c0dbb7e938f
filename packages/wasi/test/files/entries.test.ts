import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { MemoryFiles } from "../../src/files/memory-files.ts";
import {
  createTestFiles,
  expectOutcome,
  namesIn,
  openDirectory,
  openFile,
  readText,
  writeText,
} from "./support.ts";

suite("directories", () => {
  test("are made, counted and removed", () => {
    const files = createTestFiles();
    const { root } = files;
    expectOutcome(files.makeDirectory(root, "d/"), "ok");
    expectOutcome(files.makeDirectory(root, "d"), "exist");
    expectOutcome(files.makeDirectory(root, "."), "exist");
    expectOutcome(files.makeDirectory(root, "d/e/f"), "noent");
    expectOutcome(files.makeDirectory(root, "d/e"), "ok");
    assert.equal(root.stat().links, 3);
    assert.equal(openDirectory(files, "d").stat().links, 3);
    expectOutcome(files.removeDirectory(root, "d"), "notempty");
    expectOutcome(files.removeDirectory(root, "d/."), "inval");
    expectOutcome(files.removeDirectory(root, "d/e/.."), "notempty");
    expectOutcome(files.removeDirectory(root, "d/e/"), "ok");
    expectOutcome(files.removeDirectory(root, "d"), "ok");
    assert.equal(root.stat().links, 2);
    writeText(files, "f", "");
    expectOutcome(files.removeDirectory(root, "f"), "notdir");
    expectOutcome(files.removeDirectory(root, "f/"), "notdir");
    expectOutcome(files.makeDirectory(root, "f"), "exist");
  });

  test("list dot, dot-dot and names with resumable cookies", () => {
    const files = createTestFiles();
    for (let i = 0; i < 10; i++) writeText(files, `f${i}`, "");
    const all = [...files.root.list(0n)];
    assert.deepEqual(
      all.slice(0, 2).map((e) => [e.name, e.kind, e.inode]),
      [
        [".", "directory", files.root.stat().inode],
        ["..", "directory", files.root.stat().inode],
      ],
    );
    assert.equal(all.length, 12);
    for (const [i, entry] of all.entries()) {
      assert.deepEqual([...files.root.list(entry.cookie)], all.slice(i + 1));
    }
    assert.deepEqual([...files.root.list(2n ** 64n - 1n)], []);
  });

  test("list every entry that stays exactly once while others come and go", () => {
    const files = createTestFiles();
    for (let i = 0; i < 300; i++) writeText(files, `f${i}`, "");
    const seen: string[] = [];
    let cookie = 0n;
    for (let round = 0; ; round++) {
      const [next] = files.root.list(cookie);
      if (next === undefined) break;
      seen.push(next.name);
      cookie = next.cookie;
      // Odd names go away on the way, enough of them to make the directory rebuild its order.
      if (round < 150) files.unlink(files.root, `f${round * 2 + 1}`);
      if (round < 20) writeText(files, `new${round}`, "");
    }
    assert.equal(new Set(seen).size, seen.length);
    for (let i = 0; i < 300; i += 2) assert.ok(seen.includes(`f${i}`), `f${i}`);
  });

  test("can change while one iteration runs over them", () => {
    const files = createTestFiles();
    for (let i = 0; i < 200; i++) writeText(files, `f${i}`, "");
    const seen: string[] = [];
    for (const { name, kind } of files.root.list(0n)) {
      if (kind !== "file") continue;
      seen.push(name);
      expectOutcome(files.unlink(files.root, name), "ok");
    }
    assert.equal(seen.length, 200);
    assert.deepEqual(namesIn(files.root), [".", ".."]);
  });
});

suite("unlink", () => {
  test("removes files and symlinks, and answers as Linux does else", () => {
    const files = createTestFiles();
    const { root } = files;
    files.makeDirectory(root, "d");
    writeText(files, "f", "");
    files.makeSymlink(root, "l", "d");
    expectOutcome(files.unlink(root, "d"), "isdir");
    expectOutcome(files.unlink(root, "d/"), "isdir");
    expectOutcome(files.unlink(root, "."), "isdir");
    expectOutcome(files.unlink(root, "f/"), "notdir");
    expectOutcome(files.unlink(root, "l/"), "notdir");
    expectOutcome(files.unlink(root, "none"), "noent");
    expectOutcome(files.unlink(root, "f"), "ok");
    expectOutcome(files.unlink(root, "l"), "ok");
    assert.deepEqual(namesIn(root), [".", "..", "d"]);
  });
});

suite("symlinks", () => {
  test("keep their target and refuse what Linux and wasmtime refuse", () => {
    const files = createTestFiles();
    const { root } = files;
    expectOutcome(files.makeSymlink(root, "l/", "x"), "noent");
    expectOutcome(files.makeSymlink(root, "l", ""), "noent");
    expectOutcome(files.makeSymlink(root, "l", "a\0b"), "inval");
    expectOutcome(files.makeSymlink(root, "l", "x".repeat(4096)), "nametoolong");
    expectOutcome(files.makeSymlink(root, "l", "\u00e4/x"), "ok");
    expectOutcome(files.makeSymlink(root, "l", "y"), "exist");
    const link = files.lookup(root, "l", false);
    assert.ok(typeof link !== "number" && link.kind === "symlink");
    assert.equal(link.target, "\u00e4/x");
    assert.equal(link.stat().size, 4);
  });
});

suite("hard links", () => {
  test("share one node until the last name is gone", () => {
    const files = createTestFiles();
    const { root } = files;
    const empty = files.used;
    const file = writeText(files, "f", "one");
    files.makeDirectory(root, "d");
    expectOutcome(files.link(root, "f", false, openDirectory(files, "d"), "g"), "ok");
    assert.equal(openFile(files, "d/g"), file);
    assert.equal(file.stat().links, 2);
    files.unlink(root, "f");
    writeText(files, "d/g", "two");
    assert.equal(readText(files, "d/g"), "two");
    files.unlink(root, "d/g");
    files.removeDirectory(root, "d");
    assert.equal(files.used, empty);
  });

  test("refuse directories, existing names, trailing slashes and other file systems", () => {
    const files = createTestFiles();
    const { root } = files;
    writeText(files, "f", "");
    files.makeDirectory(root, "d");
    files.makeSymlink(root, "l", "none");
    expectOutcome(files.link(root, "d", false, root, "x"), "perm");
    expectOutcome(files.link(root, "f", false, root, "f"), "exist");
    expectOutcome(files.link(root, "f", false, root, "d"), "exist");
    expectOutcome(files.link(root, "f", false, root, "l"), "exist");
    expectOutcome(files.link(root, "f", false, root, "x/"), "noent");
    expectOutcome(files.link(root, "f/", false, root, "x"), "notdir");
    expectOutcome(files.link(root, "none", false, root, "x"), "noent");
    expectOutcome(files.link(root, "l", true, root, "x"), "noent");
    expectOutcome(files.link(root, "l", false, root, "x"), "ok");
    expectOutcome(files.link(root, "f", false, createTestFiles().root, "x"), "xdev");
  });
});

suite("rename", () => {
  function createTree(): MemoryFiles {
    const files = createTestFiles();
    for (const path of ["d", "d/e", "empty", "full"]) files.makeDirectory(files.root, path);
    writeText(files, "f", "f");
    writeText(files, "g", "g");
    writeText(files, "full/x", "x");
    return files;
  }

  function expectRename(files: MemoryFiles, from: string, to: string, wanted: string): void {
    expectOutcome(files.rename(files.root, from, files.root, to), wanted);
  }

  test("replaces files and frees what was replaced", () => {
    const files = createTree();
    const before = files.used;
    expectRename(files, "f", "g", "ok");
    assert.equal(readText(files, "g"), "f");
    expectOutcome(files.lookup(files.root, "f", true), "noent");
    writeText(files, "f", "f");
    assert.equal(files.used, before);
  });

  test("moves directories over empty directories only", () => {
    const files = createTree();
    const moved = openDirectory(files, "d");
    expectRename(files, "d", "full", "notempty");
    expectRename(files, "d", "f", "notdir");
    expectRename(files, "f", "empty", "isdir");
    expectRename(files, "d", "empty", "ok");
    assert.equal(openDirectory(files, "empty"), moved);
    assert.equal(files.lookup(files.root, "empty/e/../..", true), files.root);
    assert.equal(files.root.stat().links, 4);
  });

  test("refuses loops, dots and slashes after files", () => {
    const files = createTree();
    expectRename(files, "d", "d/e/x", "inval");
    expectRename(files, "d", "d/x", "inval");
    expectRename(files, "d/e", "d", "notempty");
    expectRename(files, "full/x", "full", "notempty");
    expectRename(files, "d/.", "x", "busy");
    expectRename(files, "d", "empty/..", "busy");
    expectRename(files, "f/", "x", "notdir");
    expectRename(files, "f", "x/", "notdir");
    expectRename(files, "none", "x", "noent");
    expectRename(files, "d/", "x/", "ok");
    expectRename(files, "x", "x", "ok");
    expectOutcome(files.rename(files.root, "f", createTestFiles().root, "f"), "xdev");
  });

  test("does nothing when both names lead to one file", () => {
    const files = createTree();
    files.link(files.root, "f", false, files.root, "h");
    expectRename(files, "f", "h", "ok");
    assert.equal(openFile(files, "f").stat().links, 2);
  });

  test("works between two directories of one file system that are bases of their own", () => {
    const files = createTree();
    expectOutcome(
      files.rename(openDirectory(files, "full"), "x", openDirectory(files, "d"), "e/y"),
      "ok",
    );
    assert.equal(readText(files, "d/e/y"), "x");
  });
});

suite("times", () => {
  test("move on as Linux moves them", () => {
    const files = createTestFiles();
    const { root } = files;
    const file = writeText(files, "f", "text");
    const take = () => {
      const { accessed, modified, changed } = file.stat();
      return { accessed, modified, changed };
    };
    const written = take();
    file.read(new Uint8Array(4), 0, 4, 0);
    assert.deepEqual(take(), written, "a read is no change");
    file.write(new Uint8Array(1), 0, 1, 0);
    const again = take();
    assert.ok(again.modified > written.modified && again.changed > written.changed);
    assert.equal(again.accessed, written.accessed);
    const rootBefore = root.stat();
    files.link(root, "f", false, root, "g");
    assert.equal(take().modified, again.modified);
    assert.ok(take().changed > again.changed, "a new name changes the node");
    assert.ok(root.stat().modified > rootBefore.modified, "a new name modifies the directory");
    const linked = root.stat();
    file.truncate(2);
    assert.equal(root.stat().modified, linked.modified);
    file.setTimes(null, 7n);
    assert.deepEqual([take().modified, take().accessed], [7n, written.accessed]);
    file.setTimes(5n, null);
    assert.deepEqual([take().modified, take().accessed], [7n, 5n]);
  });
});
