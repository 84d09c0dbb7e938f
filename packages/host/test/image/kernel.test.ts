import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { extractVmlinux } from "../../src/image/kernel.ts";
import { stripElf } from "../../src/image/strip.ts";
import { createBzImage, createElf } from "./synthetic.ts";

const vmlinux = createElf(Buffer.from("kernel"), Buffer.alloc(0));

test("the ELF file inside a bzImage is taken out whole", () => {
  assert.deepEqual(extractVmlinux(createBzImage(vmlinux)), vmlinux);
});

test("a payload of another compression, of another size or that is no ELF file is refused", () => {
  const cases = [
    createBzImage(vmlinux, gzipSync(vmlinux)),
    createBzImage(vmlinux, zstdCompressSync(vmlinux.subarray(1))),
    createBzImage(Buffer.from("no kernel at all")),
    createBzImage(vmlinux).subarray(0, 3 * 512 + 20),
    Buffer.alloc(10_000),
    Buffer.alloc(0),
  ];
  for (const bytes of cases) assert.throws(() => extractVmlinux(bytes), { code: "bytes/invalid" });
});

test("a bzImage with any one byte changed gives a kernel or a refusal, and nothing else", () => {
  const image = createBzImage(vmlinux);
  fc.assert(
    fc.property(fc.nat(image.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const bytes = Buffer.from(image);
      bytes[at]! ^= change;
      try {
        extractVmlinux(bytes);
      } catch (error) {
        assert.equal((error as { code: string }).code, "bytes/invalid");
      }
    }),
  );
});

test("an ELF file loses what lies behind its last segment, and its header knows of no sections", () => {
  const elf = createElf(Buffer.from("segment"), Buffer.from("symbols"));
  const stripped = Buffer.from(stripElf(elf));
  assert.deepEqual(stripped.subarray(64), elf.subarray(64, elf.length - "symbols".length));
  assert.equal(stripped.readBigUInt64LE(40), 0n);
  assert.deepEqual(stripped.subarray(58, 64), Buffer.alloc(6));
  assert.deepEqual(Buffer.from(stripElf(stripped)), stripped);
});

test("what is no whole 64-bit ELF file is not stripped", () => {
  const elf = createElf(Buffer.from("segment"), Buffer.alloc(0));
  const other = (at: number, byte: number) => {
    const bytes = Buffer.from(elf);
    bytes[at] = byte;
    return bytes;
  };
  const cases = [
    Buffer.alloc(0),
    Buffer.from("#!/bin/sh\n".repeat(10)),
    elf.subarray(0, elf.length - 1),
    other(4, 1),
    other(5, 2),
    other(56, 0),
    other(56, 200),
    other(39, 0xff),
    other(64 + 15, 0xff),
  ];
  for (const bytes of cases) assert.throws(() => stripElf(bytes), { code: "bytes/invalid" });
});
