import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { MemoryFiles } from "../../src/files/memory-files.ts";
import { createTestFiles, expectOutcome, LOOK, openDirectory, writeText } from "./support.ts";

function createTree(): MemoryFiles {
  const files = createTestFiles();
  files.makeDirectory(files.root, "a");
  files.makeDirectory(files.root, "a/b");
  writeText(files, "a/b/file", "text");
  return files;
}

function expectLookup(files: MemoryFiles, path: string, wanted: string, follow = true): void {
  expectOutcome(files.lookup(files.root, path, follow), wanted);
}

suite("path walk", () => {
  test("resolves dots, repeated slashes and .. inside the base", () => {
    const files = createTree();
    for (const path of [
      "a/.//b/../../a/b/../b///./file",
      "./a/b/file",
      "a/b/",
      "a/b///",
      ".",
      "./",
    ]) {
      expectLookup(files, path, "ok");
    }
    assert.equal(files.lookup(files.root, "a/..", true), files.root);
  });

  test("refuses what leaves the base, even for a moment", () => {
    const files = createTree();
    for (const path of ["..", "../", "a/../..", "a/../../a", "/a", "/", "//"]) {
      expectLookup(files, path, "perm");
    }
    expectOutcome(files.lookup(openDirectory(files, "a"), "../a/b", true), "perm");
    expectOutcome(files.lookup(openDirectory(files, "a"), "b/../..", true), "perm");
  });

  test("refuses symlinks that leave the base of the walk, though they stay in the file system", () => {
    const files = createTree();
    expectOutcome(files.makeSymlink(files.root, "a/up", "../a/b"), "ok");
    expectLookup(files, "a/up/file", "ok");
    expectOutcome(files.lookup(openDirectory(files, "a"), "up/file", true), "perm");
    expectOutcome(files.lookup(openDirectory(files, "a"), "up", false), "ok");
    expectOutcome(files.makeSymlink(files.root, "out", "../../etc"), "ok");
    expectLookup(files, "out", "perm");
    for (const create of [true, false]) {
      expectOutcome(files.open(files.root, "out/x", { ...LOOK, create, write: true }), "perm");
    }
    expectOutcome(files.makeDirectory(files.root, "out/x"), "perm");
    expectOutcome(files.rename(files.root, "a/b/file", files.root, "out/x"), "perm");
    expectOutcome(files.link(files.root, "a/b/file", false, files.root, "out/x"), "perm");
  });

  test("refuses absolute link targets when the link is made", () => {
    expectOutcome(createTree().makeSymlink(createTree().root, "l", "/"), "perm");
  });

  test("wants a directory where a slash or another component follows", () => {
    const files = createTree();
    expectLookup(files, "a/b/file/", "notdir");
    expectLookup(files, "a/b/file/..", "notdir");
    expectLookup(files, "a/b/file/x", "notdir");
    expectLookup(files, "a/none/..", "noent");
    expectLookup(files, "none/", "noent");
  });

  test("refuses empty, overlong, NUL and ill-formed paths", () => {
    const files = createTree();
    expectLookup(files, "", "noent");
    expectLookup(files, "a/b/file\0", "inval");
    expectLookup(files, "a/\ud800", "ilseq");
    expectLookup(files, "n".repeat(255), "noent");
    expectLookup(files, "n".repeat(256), "nametoolong");
    expectLookup(files, "\u00e4".repeat(128), "nametoolong");
    expectLookup(files, "\u00e4".repeat(127), "noent");
    expectLookup(files, `${"./".repeat(2046)}a/b`, "ok");
    expectLookup(files, `${"./".repeat(2047)}a/b`, "nametoolong");
  });

  test("follows forty links and no more", () => {
    const files = createTree();
    files.makeSymlink(files.root, "l1", "a");
    for (let i = 2; i <= 41; i++) files.makeSymlink(files.root, `l${i}`, `l${i - 1}`);
    expectLookup(files, "l40", "ok");
    expectLookup(files, "l41", "loop");
    expectLookup(files, "l41", "ok", false);
    files.makeSymlink(files.root, "self", "self");
    expectLookup(files, "self", "loop");
    expectLookup(files, "self/x", "loop", false);
    files.makeSymlink(files.root, "grow", "grow/grow");
    expectLookup(files, "grow", "loop");
  });

  test("follows a last link only when asked, or when a slash comes after it", () => {
    const files = createTree();
    files.makeSymlink(files.root, "dir", "a/b");
    const stat = (path: string, follow: boolean) => {
      const node = files.lookup(files.root, path, follow);
      return typeof node === "number" ? node : node.kind;
    };
    assert.equal(stat("dir", false), "symlink");
    assert.equal(stat("dir/", false), "directory");
    assert.equal(stat("dir/.", false), "directory");
    assert.equal(stat("dir", true), "directory");
  });

  test("refuses nodes of another file system", () => {
    assert.throws(() => createTree().lookup(createTree().root, "a", true), TypeError);
  });
});
