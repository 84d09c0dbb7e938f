import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  linkSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { loadTree, openHostTree, scanTree } from "@donjon/client/trees/read-tree";
import { parseTree } from "@donjon/wasi/files/parse-tree";
import { createDirectory } from "./fixture.ts";

/** All that is left, in pieces of `size`. */
function readAll(read: (to: Uint8Array) => number, size: number): Buffer {
  const pieces: Uint8Array[] = [];
  for (;;) {
    const to = new Uint8Array(size).fill(0xff);
    const count = read(to);
    if (count === 0) return Buffer.concat(pieces);
    pieces.push(to.subarray(0, count));
  }
}

const readPieces = (root: string, size: number) => readAll(openHostTree(scanTree(root)), size);

const LIMITS = { maxBytes: 2 ** 30 };

test("a directory becomes a packed tree with contents, links and executable bits", (t) => {
  const root = createDirectory(t, { a: { "x.txt": "hello", run: "*!" }, l: "@../outside", e: {} });
  linkSync(join(root, "a/x.txt"), join(root, "z"));
  const { bytes, sha256 } = loadTree(root);
  const tree = parseTree(bytes, LIMITS);
  assert.deepEqual(
    tree.entries.map(({ kind, path }) => `${kind} ${path}`),
    ["directory a", "file a/run", "file a/x.txt", "directory e", "symlink l", "link z"],
  );
  const file = tree.entries[2]!;
  assert.ok(file.kind === "file" && !file.executable);
  assert.equal(new TextDecoder().decode(tree.contentOf(file)), "hello");
  const program = tree.entries[1]!;
  assert.ok(program.kind === "file" && program.executable);
  assert.equal(sha256, createHash("sha256").update(bytes).digest("hex"));
});

test("the same files give the same digest wherever and whenever they were written", (t) => {
  const listing = { b: "1", a: { c: "2" } };
  const one = loadTree(createDirectory(t, listing));
  const two = loadTree(createDirectory(t, { a: { c: "2" }, b: "1" }));
  assert.equal(one.sha256, two.sha256);
  assert.notEqual(loadTree(createDirectory(t, { ...listing, b: "2" })).sha256, one.sha256);
});

test("a tree read in pieces of any size is the same", (t) => {
  const listing = { big: "x".repeat(70_000), none: "", d: { a: "1", b: "y".repeat(17) } };
  const root = createDirectory(t, listing);
  const { bytes } = loadTree(root);
  for (const size of [1, 7, 16, 4096, 1 << 20]) {
    assert.ok(readPieces(root, size).equals(bytes), `pieces of ${size}`);
  }
});

test("a file that grows, shrinks or is replaced between scan and read is refused, also the last", (t) => {
  const changes = {
    grows: (path: string) => appendFileSync(path, "more"),
    shrinks: (path: string) => truncateSync(path, 1),
    "is replaced": (path: string) => {
      writeFileSync(`${path}.new`, "abc");
      renameSync(`${path}.new`, path);
    },
  };
  for (const [what, change] of Object.entries(changes)) {
    for (const name of ["a", "z"]) {
      const root = createDirectory(t, { a: "abc", z: "abc" });
      const tree = scanTree(root);
      change(join(root, name));
      const drain = () => readAll(openHostTree(tree), 4096);
      assert.throws(drain, { code: "files/read", message: /changed/ }, `${name} ${what}`);
    }
  }
});

test("a file that changes while it is read is refused", (t) => {
  const root = createDirectory(t, { f: "x".repeat(10_000) });
  const read = openHostTree(scanTree(root));
  read(new Uint8Array(4096));
  appendFileSync(join(root, "f"), "more");
  assert.throws(() => readAll(read, 4096), { code: "files/read", message: /changed/ });
});

test("a directory that becomes a link between scan and read brings no file from outside along", (t) => {
  const home = createDirectory(t, { tree: { sub: { file: "1" }, other: "2" } });
  const root = join(home, "tree");
  const tree = scanTree(root);
  renameSync(join(root, "sub"), join(home, "outside"));
  symlinkSync("../outside", join(root, "sub"));
  const drain = () => readAll(openHostTree(tree), 4096);
  assert.throws(drain, { code: "files/read", message: /behind a link/ });
});

test("a tree may lie behind a link", (t) => {
  const home = createDirectory(t, { up: { tree: { sub: { file: "1" } } }, link: "@up" });
  const { sha256 } = loadTree(join(home, "link/tree"));
  assert.equal(sha256, loadTree(join(home, "up/tree")).sha256);
});

test("a pipe, a missing directory and a name that is not UTF-8 are refused", (t) => {
  const root = createDirectory(t, {});
  execFileSync("mkfifo", [join(root, "pipe")]);
  assert.throws(() => loadTree(root), { code: "files/read", message: /pipe or socket/ });
  assert.throws(() => loadTree(join(root, "none")), { code: "files/read" });
  const latin = createDirectory(t, {});
  writeFileSync(Buffer.concat([Buffer.from(`${latin}/`), Buffer.of(0xff, 0x41)]), "x");
  assert.throws(() => loadTree(latin), { code: "files/read", message: /not UTF-8/ });
});

test("names of Donjon's own at the top are left out", (t) => {
  const root = createDirectory(t, { a: "1", sub: { ".donjon-x": "kept" } });
  mkdirSync(join(root, ".donjon-conflict-1"));
  const { bytes } = loadTree(root);
  assert.deepEqual(
    parseTree(bytes, LIMITS).entries.map(({ path }) => path),
    ["a", "sub", "sub/.donjon-x"],
  );
});
