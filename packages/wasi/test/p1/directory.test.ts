import assert from "node:assert/strict";
import test from "node:test";
import { Errno } from "../../src/errno.ts";
import { createInstance, type TestInstance } from "./support/instance.ts";

const NAMES = ["a", "file-with-a-longer-name", "d\u00e9j\u00e0", "\u{1f3f0}", "z".repeat(255)];
const BUFFER = 0x1000;
const RESULT = 0x400;

interface Entry {
  readonly next: bigint;
  readonly name: string;
  readonly type: number;
}

function createFolder(): TestInstance {
  const instance = createInstance();
  for (const name of NAMES) instance.files.makeDirectory(instance.files.root, name);
  return instance;
}

/** Lists as wasi-libc does: whole entries are used, a cut one is read again from its cookie. */
function listAll(instance: TestInstance, size: number): Entry[] {
  const entries: Entry[] = [];
  let cookie = 0n;
  for (;;) {
    assert.equal(instance.call("fd_readdir", 3, BUFFER, size, cookie, RESULT), Errno.success);
    const used = instance.view().getUint32(RESULT, true);
    const found = parseEntries(instance, used);
    entries.push(...found);
    if (used < size) return entries;
    assert.ok(found.length > 0, "a buffer that holds an entry makes progress");
    cookie = found.at(-1)!.next;
  }
}

function parseEntries(instance: TestInstance, used: number): Entry[] {
  const view = instance.view();
  const entries: Entry[] = [];
  for (let at = BUFFER; at + 24 <= BUFFER + used; ) {
    const length = view.getUint32(at + 16, true);
    if (at + 24 + length > BUFFER + used) break;
    entries.push({
      next: view.getBigUint64(at, true),
      name: instance.text(at + 24, length),
      type: view.getUint8(at + 20),
    });
    at += 24 + length;
  }
  return entries;
}

test("fd_readdir lists every name once, with any size of buffer", () => {
  const instance = createFolder();
  const wanted = [".", "..", ...NAMES];
  for (let size = 24 + 255; size < 600; size++) {
    const entries = listAll(instance, size);
    assert.deepEqual(
      entries.map(({ name }) => name),
      wanted,
      `size ${size}`,
    );
    assert.ok(entries.every(({ type }) => type === 3));
  }
});

test("fd_readdir fills a buffer that is too small for an entry, and not a byte more", () => {
  const instance = createFolder();
  for (let size = 0; size < 60; size++) {
    instance.bytes().fill(0xee, BUFFER, BUFFER + 100);
    assert.equal(instance.call("fd_readdir", 3, BUFFER, size, 0n, RESULT), Errno.success);
    assert.equal(instance.view().getUint32(RESULT, true), size);
    assert.equal(instance.bytes()[BUFFER + size], 0xee);
    if (size > 0) assert.equal(instance.bytes()[BUFFER], 1);
  }
});

test("fd_readdir behind the last entry answers 0", () => {
  const instance = createFolder();
  assert.equal(instance.call("fd_readdir", 3, BUFFER, 100, -1n, RESULT), Errno.success);
  assert.equal(instance.view().getUint32(RESULT, true), 0);
});
