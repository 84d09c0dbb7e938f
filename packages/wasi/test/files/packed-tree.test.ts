import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DonjonError } from "@donjon/core/errors";
import fc from "fast-check";
import { packTree, planTree } from "../../src/files/pack.ts";
import type { TreeEntry, TreeFile, TreeForm } from "../../src/files/packed-tree.ts";
import { parseTree } from "../../src/files/parse-tree.ts";
import { type Given, givenTree, throwsDonjon } from "./tree-support.ts";

const WHOLE: TreeForm = { times: true, changes: false };
const CHANGES: TreeForm = { times: true, changes: true };
const LIMITS = { maxBytes: 2 ** 20 };

function pack({ entries, contents }: Given, form: TreeForm = WHOLE): Uint8Array {
  return packTree(entries, form, (file) => [contents.get(file.path) as Uint8Array]);
}

function file(path: string, size = 0): TreeFile {
  return { kind: "file", path, size, executable: false, modified: 0n };
}

function directory(path: string): TreeEntry {
  return { kind: "directory", path, modified: 0n };
}

/** Cuts bytes in pieces of one after the other of `sizes`. */
function* cut(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? bytes.length;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

suite("packed tree", () => {
  test("carries every valid tree there and back, in one form only", () => {
    fc.assert(
      fc.property(givenTree, fc.func(fc.integer()), (given, order) => {
        const bytes = pack(given);
        const tree = parseTree(bytes, LIMITS);
        const paths = tree.entries.map((e) => e.path);
        const sorted = given.entries
          .map((e) => e.path)
          .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        assert.deepEqual(paths, sorted);
        const wanted = new Map(given.entries.map((e) => [e.path, e]));
        for (const entry of tree.entries) assert.deepEqual(entry, wanted.get(entry.path));
        for (const [path, content] of given.contents) {
          const entry = wanted.get(path) as TreeFile;
          const found = tree.contentOf(entry);
          assert.deepEqual(new Uint8Array(found), content);
          assert.equal(found.buffer, bytes.buffer, "content is used in place");
          assert.equal(found.byteOffset % 16, 0);
        }
        const shuffled = [...given.entries].sort((a, b) => order(a.path) - order(b.path));
        assert.deepEqual(pack({ ...given, entries: shuffled }), bytes);
      }),
    );
  });

  test("leaves times out when asked", () => {
    const entries = [{ ...file("f"), modified: 5n }];
    const bytes = packTree(entries, { times: false, changes: false }, () => []);
    const tree = parseTree(bytes, LIMITS);
    assert.equal(tree.times, false);
    assert.deepEqual(tree.entries, [file("f")]);
  });

  test("is the same in whatever pieces its contents are given", () => {
    fc.assert(
      fc.property(
        givenTree,
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 }),
        (given, sizes) => {
          const bytes = pack(given);
          const plan = planTree(given.entries, WHOLE);
          assert.equal(plan.length, bytes.length);
          const source = (f: TreeFile) => cut(given.contents.get(f.path) as Uint8Array, sizes);
          assert.equal(Buffer.compare(packTree(given.entries, WHOLE, source), bytes), 0);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("is refused while it is written when a content has another size than its entry", () => {
    for (const size of [2, 4]) {
      const content = [new Uint8Array(size)];
      throwsDonjon(() => packTree([file("f", 3)], WHOLE, () => content), /^files\/read$/);
    }
  });

  test("refuses names, parents, links and times that are not allowed, when it is planned", () => {
    const bad: TreeEntry[][] = [
      ...["", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a\0b", "\ud800"].map((path) => [
        directory("a"),
        file(path),
      ]),
      [file("a"), file("a")],
      [file("a"), directory("a")],
      [file("a"), file("a/b")],
      [file("a/b")],
      [{ kind: "symlink", path: "a", target: "b", modified: 0n }, file("a/b")],
      [{ kind: "symlink", path: "a", target: "x\0", modified: 0n }],
      [{ kind: "symlink", path: "a", target: "", modified: 0n }],
      [{ kind: "link", path: "a", to: "b" }, file("b")],
      [directory("a"), { kind: "link", path: "b", to: "a" }],
      [{ kind: "link", path: "b", to: "none" }],
      [{ kind: "removed", path: "a" }],
      [{ ...file("a"), modified: -1n }],
      [{ ...file("a"), modified: 2n ** 64n }],
      [file("n".repeat(256))],
    ];
    for (const entries of bad) {
      throwsDonjon(() => planTree(entries, WHOLE), /^bytes\/(invalid|limit)$/);
    }
    const deep = Array.from({ length: 257 }, (_, i) => directory(`${"d/".repeat(i)}d`));
    throwsDonjon(() => planTree(deep, WHOLE), /^bytes\/limit$/);
    planTree(deep.slice(0, 256), WHOLE);
  });

  test("may leave parents out and name removals in changes, but nothing below what is no directory", () => {
    const entries: TreeEntry[] = [file("a/b/c"), { kind: "removed", path: "x/y" }];
    const tree = parseTree(
      packTree(entries, CHANGES, () => []),
      LIMITS,
    );
    assert.deepEqual(tree.entries, entries);
    throwsDonjon(
      () => planTree([{ kind: "removed", path: "x" }, file("x/y/z")], CHANGES),
      /^bytes\/invalid$/,
    );
    throwsDonjon(() => planTree([file("x"), file("x/y/z")], CHANGES), /^bytes\/invalid$/);
  });
});

suite("hostile packed tree", () => {
  const hostile = fc.tuple(givenTree, fc.constantFrom(WHOLE, CHANGES));

  /** Accepted bytes are the one form of what they mean. */
  function expectCanonical(bytes: Uint8Array): void {
    const tree = parseTree(bytes, LIMITS);
    const again = packTree(tree.entries, tree, (f) => [tree.contentOf(f)]);
    assert.equal(Buffer.compare(again, bytes), 0);
  }

  function expectRefusedOrCanonical(bytes: Uint8Array): void {
    try {
      expectCanonical(bytes);
    } catch (error) {
      if (!(error instanceof DonjonError) || !error.code.startsWith("bytes/")) throw error;
    }
  }

  test("is refused at every prefix and with anything behind", () => {
    fc.assert(
      fc.property(hostile, ([given, form]) => {
        const bytes = pack(given, form);
        for (let length = 0; length < bytes.length; length++) {
          throwsDonjon(() => parseTree(bytes.subarray(0, length), LIMITS), /^bytes\/truncated$/);
        }
        const longer = new Uint8Array([...bytes, 0]);
        throwsDonjon(() => parseTree(longer, LIMITS), /^bytes\/trailing$/);
      }),
      { numRuns: 25 },
    );
  });

  test("is refused or means something consistent with every single bit flipped", () => {
    fc.assert(
      fc.property(hostile, ([given, form]) => {
        const bytes = pack(given, form);
        for (let bit = 0; bit < Math.min(bytes.length, 400) * 8; bit++) {
          const flipped = bytes.slice();
          flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
          expectRefusedOrCanonical(flipped);
        }
      }),
      { numRuns: 12 },
    );
  });

  test("is refused or means something consistent after several random changes", () => {
    const change = fc.tuple(fc.nat(), fc.constantFrom(0, 1, 2, 5, 0x2e, 0x2f, 0x61, 0x80, 0xff));
    fc.assert(
      fc.property(
        hostile,
        fc.array(change, { minLength: 1, maxLength: 4 }),
        ([given, form], changes) => {
          const bytes = pack(given, form);
          for (const [at, value] of changes) bytes[at % bytes.length] = value;
          expectRefusedOrCanonical(bytes);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test("is refused by its claims before memory is taken for them", () => {
    const bytes = packTree([file("f")], WHOLE, () => []);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(24, 2n ** 42n, true);
    throwsDonjon(() => parseTree(bytes, LIMITS), /^bytes\/limit$/);
    view.setBigUint64(24, 2n ** 64n - 1n, true);
    throwsDonjon(() => parseTree(bytes, { maxBytes: Number.MAX_SAFE_INTEGER }), /^bytes\/limit$/);
  });
});
