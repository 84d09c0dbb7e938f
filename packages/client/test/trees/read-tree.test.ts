import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  linkSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { encodeHostTree, loadTree, scanTree } from "@donjon/client/trees/read-tree";
import { parseTree } from "@donjon/wasi/files/parse-tree";
import { createDirectory } from "./fixture.ts";

const LIMITS = { maxBytes: 2 ** 30 };

test("a directory becomes a packed tree with contents, links and executable bits", async (t) => {
  const root = createDirectory(t, { a: { "x.txt": "hello", run: "*!" }, l: "@../outside", e: {} });
  linkSync(join(root, "a/x.txt"), join(root, "z"));
  const { bytes, sha256 } = await loadTree(root);
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

test("the same files give the same digest wherever and whenever they were written", async (t) => {
  const listing = { b: "1", a: { c: "2" } };
  const one = await loadTree(createDirectory(t, listing));
  const two = await loadTree(createDirectory(t, { a: { c: "2" }, b: "1" }));
  assert.equal(one.sha256, two.sha256);
  assert.notEqual((await loadTree(createDirectory(t, { ...listing, b: "2" }))).sha256, one.sha256);
});

test("progress reaches the whole length", async (t) => {
  const root = createDirectory(t, { big: "x".repeat(3 << 20) });
  const seen: number[] = [];
  const { bytes } = await loadTree(root, (done) => seen.push(done));
  assert.equal(seen.at(-1), bytes.length);
  assert.ok(seen.length >= 3);
});

test("a file that grows or is replaced between scan and read is refused", async (t) => {
  const drain = async (root: string) => {
    const tree = scanTree(root);
    appendFileSync(join(root, "f"), "more");
    for await (const _ of encodeHostTree(tree));
  };
  await assert.rejects(drain(createDirectory(t, { f: "1" })), {
    code: "files/read",
    message: /changed/,
  });
});

test("a directory that becomes a link between scan and read brings no file from outside along", async (t) => {
  const home = createDirectory(t, { tree: { sub: { file: "1" }, other: "2" } });
  const root = join(home, "tree");
  const tree = scanTree(root);
  renameSync(join(root, "sub"), join(home, "outside"));
  symlinkSync("../outside", join(root, "sub"));
  const drain = async () => {
    for await (const _ of encodeHostTree(tree));
  };
  await assert.rejects(drain(), { code: "files/read", message: /behind a link/ });
});

test("a tree may lie behind a link", async (t) => {
  const home = createDirectory(t, { up: { tree: { sub: { file: "1" } } }, link: "@up" });
  const { sha256 } = await loadTree(join(home, "link/tree"));
  assert.equal(sha256, (await loadTree(join(home, "up/tree"))).sha256);
});

test("a pipe, a missing directory and a name that is not UTF-8 are refused", async (t) => {
  const root = createDirectory(t, {});
  execFileSync("mkfifo", [join(root, "pipe")]);
  await assert.rejects(loadTree(root), { code: "files/read", message: /pipe or socket/ });
  await assert.rejects(loadTree(join(root, "none")), { code: "files/read" });
  const latin = createDirectory(t, {});
  writeFileSync(Buffer.concat([Buffer.from(`${latin}/`), Buffer.of(0xff, 0x41)]), "x");
  await assert.rejects(loadTree(latin), { code: "files/read", message: /not UTF-8/ });
});

test("names of Donjon's own at the top are left out", async (t) => {
  const root = createDirectory(t, { a: "1", sub: { ".donjon-x": "kept" } });
  mkdirSync(join(root, ".donjon-conflict-1"));
  const { bytes } = await loadTree(root);
  assert.deepEqual(
    parseTree(bytes, LIMITS).entries.map(({ path }) => path),
    ["a", "sub", "sub/.donjon-x"],
  );
});
