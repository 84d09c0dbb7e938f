import assert from "node:assert/strict";
import type { DirectoryNode, FileNode, OpenOptions } from "../../src/capability/files.ts";
import { Errno } from "../../src/errno.ts";
import { createMemoryFiles, type MemoryFiles } from "../../src/files/memory-files.ts";

export const LOOK: OpenOptions = {
  follow: true,
  create: false,
  exclusive: false,
  truncate: false,
  directory: false,
  write: false,
};

/** A clock that moves on by one nanosecond whenever it is read. */
export function createTestClock(): { realtime(): bigint; now: bigint } {
  return {
    now: 1_000n,
    realtime() {
      this.now += 1n;
      return this.now;
    },
  };
}

export function createTestFiles(limitBytes = 2 ** 30): MemoryFiles {
  return createMemoryFiles({ limitBytes, clock: createTestClock() });
}

/** `"ok"` for an outcome >= 0 or a node, else the name of its errno. */
export function nameOf(outcome: unknown): string {
  if (typeof outcome !== "number" || outcome >= 0) return "ok";
  const found = Object.entries(Errno).find(([, value]) => value === -outcome);
  return found?.[0] ?? `unknown ${outcome}`;
}

export function expectOutcome(outcome: unknown, wanted: string): void {
  assert.equal(nameOf(outcome), wanted);
}

export function openFile(
  files: MemoryFiles,
  path: string,
  options: Partial<OpenOptions> = {},
  base: DirectoryNode = files.root,
): FileNode {
  const node = files.open(base, path, { ...LOOK, ...options });
  if (typeof node === "number") throw new Error(`open ${path}: ${nameOf(node)}`);
  if (node.kind !== "file") throw new Error(`open ${path}: a ${node.kind}`);
  return node;
}

export function openDirectory(files: MemoryFiles, path: string): DirectoryNode {
  const node = files.lookup(files.root, path, true);
  if (typeof node === "number" || node.kind !== "directory")
    throw new Error(`no directory ${path}`);
  return node;
}

export function writeText(files: MemoryFiles, path: string, text: string): FileNode {
  const file = openFile(files, path, { create: true, truncate: true, write: true });
  const bytes = new TextEncoder().encode(text);
  assert.equal(file.write(bytes, 0, bytes.length, 0), bytes.length);
  return file;
}

export function readAll(file: FileNode): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(file.size);
  assert.equal(file.read(bytes, 0, bytes.length, 0), bytes.length);
  return bytes;
}

export function readText(files: MemoryFiles, path: string): string {
  return new TextDecoder().decode(readAll(openFile(files, path)));
}

export function namesIn(directory: DirectoryNode): string[] {
  return [...directory.list(0n)].map((entry) => entry.name);
}
