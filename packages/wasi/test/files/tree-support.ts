import assert from "node:assert/strict";
import { DonjonError } from "@donjon/core/errors";
import fc from "fast-check";
import type { PackedTree, TreeEntry } from "../../src/files/packed-tree.ts";

/** What a tree means, without its bytes: path to a line; files with equal `group` are one. */
export type Meaning = Map<string, { shows: string; group: string }>;

export function meaningOf(
  entries: Iterable<TreeEntry>,
  contentOf: PackedTree["contentOf"],
): Meaning {
  const meaning: Meaning = new Map();
  for (const entry of entries) {
    if (entry.kind === "removed") throw new Error("a removal has no meaning of its own");
    if (entry.kind === "link") {
      const to = meaning.get(entry.to);
      assert.ok(to, "links come after their file");
      meaning.set(entry.path, to);
    } else {
      meaning.set(entry.path, { shows: showEntry(entry, contentOf), group: entry.path });
    }
  }
  return meaning;
}

export function showEntry(
  entry: Exclude<TreeEntry, { kind: "link" | "removed" }>,
  contentOf: PackedTree["contentOf"],
): string {
  if (entry.kind === "directory") return `directory ${entry.modified}`;
  if (entry.kind === "symlink") return `symlink ${entry.target} ${entry.modified}`;
  const content = Buffer.from(contentOf(entry)).toString("hex");
  return `file ${entry.executable} ${entry.modified} ${content}`;
}

export function throwsDonjon(run: () => unknown, code: RegExp): void {
  assert.throws(run, (error) => error instanceof DonjonError && code.test(error.code));
}

export interface Given {
  readonly entries: TreeEntry[];
  readonly contents: Map<string, Uint8Array>;
}

const name = fc.constantFrom("a", "b", "a-b", "a.b", "\u00e4", "\uffff", "\u{1f600}", "z");
const time = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const seed = fc.record({
  path: fc.array(name, { minLength: 1, maxLength: 4 }),
  kind: fc.constantFrom("file" as const, "directory" as const, "symlink" as const, "link" as const),
  content: fc.uint8Array({ maxLength: 40 }),
  executable: fc.boolean(),
  modified: time,
  target: fc.constantFrom("a", "../x", "/etc/passwd", "\u00e4/b/"),
});

/** Valid trees: seeds that do not fit together are left out. */
export const givenTree: fc.Arbitrary<Given> = fc.array(seed, { maxLength: 12 }).map((seeds) => {
  const entries = new Map<string, TreeEntry>();
  const contents = new Map<string, Uint8Array>();
  for (const { path: names, kind, content, executable, modified, target } of seeds) {
    const path = names.join("/");
    const parents = names.slice(1).map((_, i) => names.slice(0, i + 1).join("/"));
    if (entries.has(path)) continue;
    if (parents.some((p) => entries.has(p) && entries.get(p)?.kind !== "directory")) continue;
    for (const p of parents) entries.set(p, { kind: "directory", path: p, modified });
    if (kind === "directory") entries.set(path, { kind, path, modified });
    if (kind === "symlink") entries.set(path, { kind, path, target, modified });
    if (kind === "link") {
      const earlier = [...entries.values()].find(
        (e) => e.kind === "file" && Buffer.compare(Buffer.from(e.path), Buffer.from(path)) < 0,
      );
      if (earlier) entries.set(path, { kind, path, to: earlier.path });
    }
    if (kind === "file") {
      entries.set(path, { kind, path, size: content.length, executable, modified });
      contents.set(path, content);
    }
  }
  return { entries: [...entries.values()], contents };
});
