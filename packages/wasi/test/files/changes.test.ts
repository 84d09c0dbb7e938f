import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { collectChanges } from "../../src/files/changes.ts";
import type { MemoryFiles } from "../../src/files/memory-files.ts";
import { packTree } from "../../src/files/pack.ts";
import type { PackedTree, TreeEntry, TreeFile } from "../../src/files/packed-tree.ts";
import { parseTree } from "../../src/files/parse-tree.ts";
import { unpackTree } from "../../src/files/unpack.ts";
import {
  createTestClock,
  createTestFiles,
  expectOutcome,
  LOOK,
  type openDirectory,
  openFile,
  readText,
  writeText,
} from "./support.ts";
import { givenTree, type Meaning, meaningOf, throwsDonjon } from "./tree-support.ts";

/** A tree with nothing in it: changes since then are the whole file system. */
const EMPTY_TREE: PackedTree = {
  times: true,
  changes: false,
  entries: [],
  length: 0,
  contentOf: (file) => {
    throw new RangeError(`no file ${file.path} in an empty tree`);
  },
};

const LIMITS = { maxBytes: 2 ** 20 };
const OPTIONS = { limitBytes: 2 ** 24, clock: createTestClock() };

function textTree(texts: Record<string, string | null>): PackedTree {
  const encoder = new TextEncoder();
  const contents = new Map<string, Uint8Array>();
  const entries = Object.entries(texts).map(([path, text]): TreeEntry => {
    if (text === null) return { kind: "directory", path, modified: 1n };
    const content = encoder.encode(text);
    contents.set(path, content);
    return { kind: "file", path, size: content.length, executable: false, modified: 2n };
  });
  const source = (file: TreeFile) => [contents.get(file.path) as Uint8Array];
  return parseTree(packTree(entries, { times: true, changes: false }, source), LIMITS);
}

/** Collects, packs and parses: what the owner gets. */
function changesOf(files: MemoryFiles, tree: PackedTree): PackedTree {
  const { entries, form, source } = collectChanges(files, tree);
  return parseTree(packTree(entries, form, source), LIMITS);
}

/** What the owner has after applying `changes`: a plain reading of docs/formats/packed-tree.md. */
function apply(before: Meaning, changes: PackedTree): Meaning {
  const after: Meaning = new Map(before);
  const dropBelow = (path: string) => {
    for (const other of [...after.keys()]) if (other.startsWith(`${path}/`)) after.delete(other);
  };
  const kindAt = (path: string) => after.get(path)?.shows.split(" ")[0];
  const named = changes.entries.filter((entry) => entry.kind !== "removed");
  for (const entry of changes.entries) {
    if (entry.kind === "directory" && kindAt(entry.path) === "directory") continue;
    after.delete(entry.path);
    dropBelow(entry.path);
  }
  for (const [path, value] of meaningOf(named, changes.contentOf)) after.set(path, value);
  return after;
}

/** Groups by the first path that shares the file, so that meanings can be compared. */
function normalise(meaning: Meaning): Map<string, string> {
  const first = new Map<object, string>();
  const sorted = [...meaning].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  for (const [path, value] of sorted) if (!first.has(value)) first.set(value, path);
  return new Map(sorted.map(([path, value]) => [path, `${value.shows} = ${first.get(value)}`]));
}

function meaningOfFiles(files: MemoryFiles, times = true): Meaning {
  const all = changesOf(files, { ...EMPTY_TREE, times });
  return meaningOf(all.entries, all.contentOf);
}

suite("unpacked tree", () => {
  test("shows every tree as it was packed, and has no changes then", () => {
    fc.assert(
      fc.property(givenTree, ({ entries, contents }) => {
        const source = (file: TreeFile) => [contents.get(file.path) as Uint8Array];
        const bytes = packTree(entries, { times: true, changes: false }, source);
        const tree = parseTree(bytes, LIMITS);
        const files = unpackTree(tree, OPTIONS);
        assert.deepEqual(collectChanges(files, tree).entries, []);
        assert.deepEqual(
          normalise(meaningOfFiles(files)),
          normalise(meaningOf(tree.entries, tree.contentOf)),
        );
      }),
    );
  });

  test("is refused when it does not fit or is a set of changes", () => {
    const tree = textTree({ f: "x".repeat(1000) });
    throwsDonjon(() => unpackTree(tree, { ...OPTIONS, limitBytes: 1000 }), /^files\/limit$/);
    throwsDonjon(() => unpackTree({ ...tree, changes: true }, OPTIONS), /^bytes\/invalid$/);
  });

  test("gives back what its nodes took, but not its packed bytes", () => {
    const tree = textTree({ d: null, "d/f": "x".repeat(1000) });
    const files = unpackTree(tree, OPTIONS);
    files.makeSymlink(files.root, "l", "x");
    for (const path of ["d/f", "l"]) expectOutcome(files.unlink(files.root, path), "ok");
    expectOutcome(files.removeDirectory(files.root, "d"), "ok");
    assert.equal(files.used, tree.length);
  });

  test("can be read-only", () => {
    const files = unpackTree(textTree({ d: null, "d/f": "text" }), { ...OPTIONS, readOnly: true });
    assert.equal(readText(files, "d/f"), "text");
    expectOutcome(files.unlink(files.root, "d/f"), "rofs");
    expectOutcome(files.open(files.root, "d/f", { ...LOOK, write: true }), "rofs");
  });

  test("does not follow links out of the tree", () => {
    const entries: TreeEntry[] = ["/etc/passwd", "../../x"].map((target, i) => ({
      kind: "symlink",
      path: `l${i}`,
      target,
      modified: 0n,
    }));
    const bytes = packTree(entries, { times: true, changes: false }, () => []);
    const files = unpackTree(parseTree(bytes, LIMITS), OPTIONS);
    expectOutcome(files.lookup(files.root, "l0", true), "perm");
    expectOutcome(files.lookup(files.root, "l1", true), "perm");
  });
});

suite("changes", () => {
  test("name what was created, modified, removed and renamed, and nothing else", () => {
    const tree = textTree({ d: null, "d/gone": "1", "d/kept": "2", old: "3", same: "4", w: "5" });
    const files = unpackTree(tree, OPTIONS);
    files.unlink(files.root, "d/gone");
    files.rename(files.root, "old", files.root, "new");
    writeText(files, "w", "changed");
    files.makeSymlink(files.root, "l", "w");
    const changes = changesOf(files, tree);
    assert.deepEqual(
      changes.entries.map(({ kind, path }) => `${kind} ${path}`),
      ["directory d", "removed d/gone", "symlink l", "file new", "removed old", "file w"],
    );
  });

  test("do not name a file that was written with what it held, but for its time", () => {
    const tree = textTree({ f: "text" });
    const files = unpackTree(tree, OPTIONS);
    const file = openFile(files, "f", { write: true });
    file.write(new TextEncoder().encode("text"), 0, 4, 0);
    assert.equal(collectChanges(files, tree).entries.length, 1);
    file.setTimes(null, 2n);
    assert.deepEqual(collectChanges(files, tree).entries, []);
  });

  test("imply what lay below a removed or replaced directory", () => {
    const tree = textTree({ a: null, "a/x": "1", "a/b": null, "a/b/y": "2", c: null, "c/z": "3" });
    const files = unpackTree(tree, OPTIONS);
    for (const path of ["a/x", "a/b/y", "c/z"]) files.unlink(files.root, path);
    for (const path of ["a/b", "a", "c"]) files.removeDirectory(files.root, path);
    writeText(files, "c", "now a file");
    assert.deepEqual(
      changesOf(files, tree).entries.map(({ kind, path }) => `${kind} ${path}`),
      ["removed a", "file c"],
    );
  });

  test("carry all names of a linked file when one of them is new", () => {
    const tree = textTree({ a: "1", b: "2" });
    const files = unpackTree(tree, OPTIONS);
    files.link(files.root, "b", false, files.root, "c");
    assert.deepEqual(
      changesOf(files, tree).entries.map((e) => (e.kind === "link" ? `${e.path}=${e.to}` : e.path)),
      ["b", "c=b"],
    );
  });

  test("are refused when the workload went deeper than a tree can carry", () => {
    const files = createTestFiles();
    let directory = files.root as ReturnType<typeof openDirectory>;
    for (let i = 0; i < 300; i++) {
      files.makeDirectory(directory, "d");
      directory = files.lookup(directory, "d", true) as typeof directory;
    }
    throwsDonjon(() => collectChanges(files, EMPTY_TREE), /^files\/limit$/);
  });

  test("say that files with equal content became one", () => {
    const tree = textTree({ a: "1", b: "1" });
    const files = unpackTree(tree, OPTIONS);
    files.unlink(files.root, "b");
    files.link(files.root, "a", false, files.root, "b");
    assert.deepEqual(
      changesOf(files, tree).entries.map(({ kind, path }) => `${kind} ${path}`),
      ["file a", "link b"],
    );
  });

  test("are refused when holes make them larger than the file system may be", () => {
    const tree = textTree({ f: "text" });
    const files = unpackTree(tree, OPTIONS);
    const file = openFile(files, "f", { write: true });
    expectOutcome(file.truncate(2 ** 40), "ok");
    throwsDonjon(() => collectChanges(files, tree), /^files\/limit$/);
    file.truncate(100_000);
    throwsDonjon(() => collectChanges(files, tree, { maxBytes: 99_999 }), /^files\/limit$/);
    const content = new Uint8Array(100_000);
    content.set(new TextEncoder().encode("text"));
    const changes = changesOf(files, tree);
    assert.deepEqual(new Uint8Array(changes.contentOf(changes.entries[0] as TreeFile)), content);
  });

  test("turn the tree of before into the tree of after, for all sequences of operations", () => {
    const path = fc
      .array(fc.constantFrom("a", "b", "a-b", "z"), { minLength: 1, maxLength: 3 })
      .map((names) => names.join("/"));
    const step = fc.record({
      op: fc.constantFrom(
        "write",
        "mkdir",
        "rmdir",
        "unlink",
        "rename",
        "link",
        "symlink",
        "truncate",
      ),
      path,
      to: path,
      byte: fc.nat(255),
    });
    fc.assert(
      fc.property(
        givenTree,
        fc.boolean(),
        fc.array(step, { maxLength: 15 }),
        (given, times, steps) => {
          const { entries, contents } = given;
          const source = (file: TreeFile) => [contents.get(file.path) as Uint8Array];
          const bytes = packTree(entries, { times, changes: false }, source);
          const original = bytes.slice();
          const tree = parseTree(bytes, LIMITS);
          const files = unpackTree(tree, OPTIONS);
          const { root } = files;
          for (const { op, path, to, byte } of steps) {
            if (op === "mkdir") files.makeDirectory(root, path);
            if (op === "rmdir") files.removeDirectory(root, path);
            if (op === "unlink") files.unlink(root, path);
            if (op === "rename") files.rename(root, path, root, to);
            if (op === "link") files.link(root, path, false, root, to);
            if (op === "symlink") files.makeSymlink(root, path, to);
            const create = op === "write";
            if (!create && op !== "truncate") continue;
            const node = files.open(root, path, { ...LOOK, create, write: true });
            if (typeof node === "number" || node.kind !== "file") continue;
            if (create) node.write(Uint8Array.of(byte), 0, 1, byte % 9);
            else node.truncate(byte % 9);
          }
          const before = meaningOf(tree.entries, tree.contentOf);
          const changes = changesOf(files, tree);
          assert.deepEqual(
            normalise(apply(before, changes)),
            normalise(meaningOfFiles(files, times)),
          );
          assert.equal(Buffer.compare(bytes, original), 0, "packed bytes are never written to");
        },
      ),
      { numRuns: 1000 },
    );
  });
});
