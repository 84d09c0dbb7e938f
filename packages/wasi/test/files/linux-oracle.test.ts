/** The same operations on a memory file system and on the real one of this Linux machine. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import fc from "fast-check";
import type { DirectoryNode } from "../../src/capability/files.ts";
import type { MemoryFiles } from "../../src/files/memory-files.ts";
import { createTestFiles, nameOf, readAll } from "./support.ts";

const name = fc.constantFrom("a", "b", "c");
const component = fc.oneof(
  { weight: 8, arbitrary: name },
  { weight: 1, arbitrary: fc.constantFrom(".", "..") },
);
const path = fc
  .tuple(
    fc.oneof(
      { weight: 3, arbitrary: name },
      {
        weight: 3,
        arbitrary: fc.array(component, { minLength: 1, maxLength: 4 }).map((c) => c.join("/")),
      },
    ),
    fc.oneof(
      { weight: 6, arbitrary: fc.constant("") },
      { weight: 1, arbitrary: fc.constantFrom("/", "//") },
    ),
  )
  .map(([start, end]) => start + end);

const step = fc.oneof(
  fc.record({
    op: fc.constant("open" as const),
    path,
    flags: fc.record({
      follow: fc.boolean(),
      create: fc.boolean(),
      exclusive: fc.boolean(),
      truncate: fc.boolean(),
      directory: fc.boolean(),
      write: fc.boolean(),
    }),
    at: fc.nat({ max: 20 }),
    length: fc.nat({ max: 20 }),
  }),
  fc.record({ op: fc.constant("mkdir" as const), path }),
  fc.record({ op: fc.constant("mkdir" as const), path: name }),
  fc.record({ op: fc.constant("rmdir" as const), path }),
  fc.record({ op: fc.constant("unlink" as const), path }),
  fc.record({ op: fc.constant("symlink" as const), path, target: path }),
  fc.record({ op: fc.constant("link" as const), path, to: path }),
  fc.record({ op: fc.constant("rename" as const), path, to: path }),
  fc.record({ op: fc.constant("truncate" as const), path, size: fc.nat({ max: 30 }) }),
  fc.record({ op: fc.constant("stat" as const), path, follow: fc.boolean() }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type OpenStep = Extract<Step, { op: "open" }>;

/** Combinations that POSIX leaves undefined, or where we follow wasmtime and not Linux. */
function isDefined(step: Step): boolean {
  if (step.op !== "open") return true;
  const { create, exclusive, truncate, directory } = step.flags;
  return !(exclusive && !create) && !(directory && (exclusive || truncate));
}

const filler = new Uint8Array(20).fill(0x41);

function runInMemory(files: MemoryFiles, step: Step): string {
  const { root } = files;
  switch (step.op) {
    case "open": {
      const node = files.open(root, step.path, step.flags);
      if (typeof node === "number") return nameOf(node);
      if (node.kind === "file" && step.flags.write) node.write(filler, 0, step.length, step.at);
      return "ok";
    }
    case "mkdir":
      return nameOf(files.makeDirectory(root, step.path));
    case "rmdir":
      return nameOf(files.removeDirectory(root, step.path));
    case "unlink":
      return nameOf(files.unlink(root, step.path));
    case "symlink":
      return nameOf(files.makeSymlink(root, step.path, step.target));
    case "link":
      return nameOf(files.link(root, step.path, false, root, step.to));
    case "rename":
      return nameOf(files.rename(root, step.path, root, step.to));
    case "truncate": {
      const node = files.lookup(root, step.path, true);
      if (typeof node === "number") return nameOf(node);
      return node.kind === "file" ? nameOf(node.truncate(step.size)) : "isdir";
    }
    case "stat": {
      const node = files.lookup(root, step.path, step.follow);
      return typeof node === "number" ? nameOf(node) : node.kind;
    }
  }
}

function runOnLinux(base: string, step: Step): string {
  const at = `${base}/${step.path}`;
  try {
    switch (step.op) {
      case "open":
        openOnLinux(at, step);
        return "ok";
      case "mkdir":
        fs.mkdirSync(at);
        return "ok";
      case "rmdir":
        fs.rmdirSync(at);
        return "ok";
      case "unlink":
        fs.unlinkSync(at);
        return "ok";
      case "symlink":
        fs.symlinkSync(step.target, at);
        return "ok";
      case "link":
        fs.linkSync(at, `${base}/${step.to}`);
        return "ok";
      case "rename":
        fs.renameSync(at, `${base}/${step.to}`);
        return "ok";
      case "truncate":
        fs.truncateSync(at, step.size);
        return "ok";
      case "stat":
        return kindOf(step.follow ? fs.statSync(at) : fs.lstatSync(at));
    }
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code)
      .slice(1)
      .toLowerCase();
  }
}

function openOnLinux(at: string, { flags, at: position, length }: OpenStep): void {
  const c = fs.constants;
  const fd = fs.openSync(
    at,
    (flags.write ? c.O_RDWR : c.O_RDONLY) |
      (flags.follow ? 0 : c.O_NOFOLLOW) |
      (flags.create ? c.O_CREAT : 0) |
      (flags.exclusive ? c.O_EXCL : 0) |
      (flags.truncate ? c.O_TRUNC : 0) |
      (flags.directory ? c.O_DIRECTORY : 0),
  );
  try {
    if (flags.write) fs.writeSync(fd, filler, 0, length, position);
  } finally {
    fs.closeSync(fd);
  }
}

function kindOf(stat: fs.Stats): string {
  if (stat.isDirectory()) return "directory";
  return stat.isSymbolicLink() ? "symlink" : "file";
}

/** A line for each entry: kind, links, the first path of its inode, content. */
function describeMemory(directory: DirectoryNode, files: MemoryFiles): string[] {
  const lines: string[] = [];
  const first = new Map<bigint, string>();
  const visit = (at: DirectoryNode, prefix: string): void => {
    const names = [...at.list(0n)]
      .map((entry) => entry.name)
      .filter((n) => n !== "." && n !== "..");
    for (const name of names.sort()) {
      const node = files.lookup(at, name, false);
      assert.ok(typeof node !== "number");
      const { links, inode } = node.stat();
      if (!first.has(inode)) first.set(inode, prefix + name);
      let shows = "";
      if (node.kind === "symlink") shows = node.target;
      if (node.kind === "file") shows = Buffer.from(readAll(node)).toString("hex");
      const counted = node.kind === "directory" ? "" : `${links} ${first.get(inode)}`;
      lines.push(`${prefix}${name} ${node.kind} ${counted} ${shows}`);
      if (node.kind === "directory") visit(node, `${prefix}${name}/`);
    }
  };
  visit(directory, "");
  return lines;
}

function describeLinux(base: string): string[] {
  const lines: string[] = [];
  const first = new Map<bigint, string>();
  const visit = (at: string, prefix: string): void => {
    for (const name of fs.readdirSync(at).sort()) {
      const full = join(at, name);
      const stat = fs.lstatSync(full, { bigint: true });
      const kind = kindOf(fs.lstatSync(full));
      if (!first.has(stat.ino)) first.set(stat.ino, prefix + name);
      let shows = "";
      if (kind === "symlink") shows = fs.readlinkSync(full);
      if (kind === "file") shows = fs.readFileSync(full).toString("hex");
      const counted = kind === "directory" ? "" : `${stat.nlink} ${first.get(stat.ino)}`;
      lines.push(`${prefix}${name} ${kind} ${counted} ${shows}`);
      if (kind === "directory") visit(full, `${prefix}${name}/`);
    }
  };
  visit(base, "");
  return lines;
}

suite("against Linux", { skip: process.platform !== "linux" && "the oracle is Linux" }, () => {
  test("answers and trees are the same after every sequence of operations", () => {
    const outer = fs.mkdtempSync(join(tmpdir(), "donjon-files-"));
    let number = 0;
    const runs = Number(process.env["DONJON_ORACLE_RUNS"] ?? 150);
    try {
      fc.assert(
        fc.property(fc.array(step.filter(isDefined), { maxLength: 40, size: "max" }), (steps) => {
          // Deep, so that a mistake in a test of `..` stays below the temporary directory.
          const base = join(outer, `${number++}`, "1", "2", "3", "4", "5", "6", "7", "8");
          fs.mkdirSync(base, { recursive: true });
          const files = createTestFiles();
          for (const [i, step] of steps.entries()) {
            const found = runInMemory(files, step);
            // Linux would leave the base here; refusing that is what we do otherwise.
            if (found === "perm" && leavesBase(files, step)) continue;
            assert.equal(found, runOnLinux(base, step), `step ${i}: ${JSON.stringify(step)}`);
          }
          assert.deepEqual(describeMemory(files.root, files), describeLinux(base));
          fs.rmSync(join(outer, `${number - 1}`), { recursive: true });
        }),
        { numRuns: runs },
      );
    } finally {
      fs.rmSync(outer, { recursive: true, force: true });
    }
  });
});

/** `link` answers perm for a directory as well, which is no reason to skip. */
function leavesBase(files: MemoryFiles, step: Step): boolean {
  if (step.op !== "link") return true;
  const ends = [step.path, step.to].map((path) => files.lookup(files.root, path, false));
  return ends.some((end) => nameOf(end) === "perm");
}
