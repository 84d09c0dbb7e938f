import assert from "node:assert/strict";
import { test } from "node:test";
import { assembleBpf } from "../../src/backend/bpf.ts";
import { assembleKeepFilter } from "../../src/backend/seccomp.ts";

const X86_64 = 0xc000003e;
const ALLOW = 0x7fff0000;
const EPERM = 0x00050001;
const ENOSYS = 0x00050026;
const KILL = 0x80000000;

/** Runs a filter as the kernel would, on `struct seccomp_data` with this architecture, number and first argument. */
function runFilter(program: Uint8Array, arch: number, nr: number, argument = 0): number {
  const view = new DataView(program.buffer, program.byteOffset, program.length);
  const data = new Map([
    [0, nr],
    [4, arch],
    [16, argument],
  ]);
  let accumulator = 0;
  for (let at = 0; at < program.length / 8; at++) {
    const code = view.getUint16(at * 8, true);
    const [jt, jf] = [view.getUint8(at * 8 + 2), view.getUint8(at * 8 + 3)];
    const k = view.getUint32(at * 8 + 4, true);
    if (code === 0x06) return k;
    if (code === 0x20) accumulator = data.get(k)!;
    else {
      const taken =
        code === 0x15
          ? accumulator === k
          : code === 0x35
            ? accumulator >= k
            : (accumulator & k) !== 0;
      at += taken ? jt : jf;
    }
  }
  throw new Error("the program ran past its end");
}

const filter = assembleKeepFilter();

test("the filter kills what is not x86-64 and denies the x32 numbers", () => {
  assert.equal(runFilter(filter, 0x40000003, 0), KILL);
  assert.equal(runFilter(filter, X86_64, 0x40000000 + 1), EPERM);
});

test("the filter lets the engine read, write, map, wait and make threads", () => {
  for (const nr of [0, 1, 3, 9, 11, 20, 35, 202, 228, 231, 232, 281, 318, 334]) {
    assert.equal(runFilter(filter, X86_64, nr), ALLOW, `system call ${nr}`);
  }
  assert.equal(runFilter(filter, X86_64, 56, 0x3d0f00), ALLOW);
});

test("the filter denies processes, and sends clone3 and io_uring back to what it can look into", () => {
  assert.equal(runFilter(filter, X86_64, 56, 17), EPERM);
  assert.equal(runFilter(filter, X86_64, 56, 0x10000000 | 17), EPERM);
  assert.equal(runFilter(filter, X86_64, 57), EPERM);
  assert.equal(runFilter(filter, X86_64, 58), EPERM);
  assert.equal(runFilter(filter, X86_64, 435), ENOSYS);
  assert.equal(runFilter(filter, X86_64, 425), ENOSYS);
});

test("the filter denies sockets, tracing, mounts, bpf, keys, modules and kexec", () => {
  for (const nr of [41, 42, 49, 53, 101, 165, 246, 250, 272, 298, 308, 313, 321, 323, 430]) {
    assert.equal(runFilter(filter, X86_64, nr), EPERM, `system call ${nr}`);
  }
});

test("the assembler refuses a jump to nowhere, backwards or too far", () => {
  const jump = { op: "jump-equal", value: 1, to: "there" } as const;
  const there = { op: "label", name: "there" } as const;
  const end = { op: "return", value: 0 } as const;
  assert.throws(() => assembleBpf([jump, end]), RangeError);
  assert.throws(() => assembleBpf([there, jump, end]), RangeError);
  const far = Array.from({ length: 256 }, () => end);
  assert.throws(() => assembleBpf([jump, ...far, there, end]), RangeError);
  assert.equal(assembleBpf([jump, ...far.slice(1), there, end]).length, 257 * 8);
});
