/** A strict reader of cpio archives in the format `newc`, written from its description: the oracle of the writer. */
import assert from "node:assert/strict";

export interface ReadEntry {
  readonly path: string;
  readonly mode: number;
  readonly inode: number;
  readonly contents: Buffer;
}

/** Throws where anything is not as the format says, or not what a reproducible archive has. */
export function readCpio(archive: Buffer): ReadEntry[] {
  const entries: ReadEntry[] = [];
  for (let at = 0; ; ) {
    const header = archive.subarray(at, at + 110).toString("latin1");
    assert.match(header, /^070701[0-9a-f]{104}$/);
    const numbers = header
      .slice(6)
      .match(/.{8}/g)!
      .map((digits) => Number.parseInt(digits, 16));
    const [inode, mode, uid, gid, links, mtime, size, major, minor, rmajor, rminor, name, check] =
      numbers as [number, ...number[]];
    assert.deepEqual([uid, gid, mtime, major, minor, rmajor, rminor, check], Array(8).fill(0));
    const end = at + 110 + name!;
    assert.equal(archive[end - 1], 0);
    const path = archive.subarray(at + 110, end - 1).toString();
    const start = align(archive, end);
    const contents = archive.subarray(start, start + size!);
    assert.equal(contents.length, size);
    at = align(archive, start + size!);
    if (path === "TRAILER!!!") {
      assert.equal(at, archive.length);
      return entries;
    }
    assert.equal(links, (mode! & 0o170000) === 0o040000 ? 2 : 1);
    entries.push({ path, mode: mode!, inode, contents });
  }
}

function align(archive: Buffer, at: number): number {
  const next = (at + 3) & ~3;
  assert.ok(archive.subarray(at, next).every((byte) => byte === 0));
  return next;
}
