import assert from "node:assert/strict";
import test from "node:test";
import { Errno } from "../../src/errno.ts";
import { NULL_INPUT, NULL_OUTPUT } from "../../src/p1/null-device.ts";
import { rights } from "../../src/p1/rights.ts";
import { MAX_BUFFERS } from "../../src/p1/vectors.ts";
import { Filetype } from "../../src/p1/witx.ts";
import { createInstance, putIovs } from "./support/instance.ts";
import { createPipe } from "./support/pipe.ts";

const IOVS = 0x100;
const RESULT = 0x400;
const BUFFER = 0x1000;

function createStdio(capacity = 8) {
  const input = createPipe(64);
  const output = createPipe(capacity);
  const instance = createInstance({
    descriptors: [
      { kind: "input", stream: input.input },
      { kind: "output", stream: output.output },
      { kind: "null" },
    ],
  });
  return { ...instance, input, output };
}

test("fd_write gathers its buffers", () => {
  const stdio = createStdio();
  stdio.put(BUFFER, "hello!");
  putIovs(stdio, IOVS, [BUFFER, 2], [BUFFER, 0], [BUFFER + 2, 4]);
  assert.equal(stdio.call("fd_write", 1, IOVS, 3, RESULT), Errno.success);
  assert.equal(stdio.view().getUint32(RESULT, true), 6);
  assert.equal(stdio.output.content(), "hello!");
});

test("fd_write waits for a slow reader until all is written", () => {
  const stdio = createStdio(4);
  let seen = "";
  stdio.waiter.onWait = (deadline) => {
    assert.equal(deadline, null);
    seen += stdio.output.drain(3);
  };
  stdio.put(BUFFER, "0123456789");
  putIovs(stdio, IOVS, [BUFFER, 5], [BUFFER + 5, 5]);
  assert.equal(stdio.call("fd_write", 1, IOVS, 2, RESULT), Errno.success);
  assert.equal(stdio.view().getUint32(RESULT, true), 10);
  assert.equal(seen + stdio.output.content(), "0123456789");
  assert.ok(stdio.waiter.waits.length >= 2);
});

test("fd_write of a descriptor that does not block writes what fits, then answers again", () => {
  const stdio = createStdio(4);
  assert.equal(stdio.call("fd_fdstat_set_flags", 1, 4), Errno.success);
  stdio.put(BUFFER, "012345");
  putIovs(stdio, IOVS, [BUFFER, 6]);
  assert.equal(stdio.call("fd_write", 1, IOVS, 1, RESULT), Errno.success);
  assert.equal(stdio.view().getUint32(RESULT, true), 4);
  assert.equal(stdio.call("fd_write", 1, IOVS, 1, RESULT), Errno.again);
});

test("fd_write tells that nobody reads after telling what was written", () => {
  const stdio = createStdio(2);
  stdio.waiter.onWait = () => stdio.output.input.close();
  putIovs(stdio, IOVS, [BUFFER, 6]);
  assert.equal(stdio.call("fd_write", 1, IOVS, 1, RESULT), Errno.success);
  assert.equal(stdio.view().getUint32(RESULT, true), 2);
  assert.equal(stdio.call("fd_write", 1, IOVS, 1, RESULT), Errno.pipe);
});

test("fd_write goes through more buffers than one attempt takes", () => {
  const count = MAX_BUFFERS + 10;
  const stdio = createStdio(4096);
  putIovs(stdio, 0x2000, ...Array.from({ length: count }, () => [BUFFER, 1] as const));
  assert.equal(stdio.call("fd_write", 1, 0x2000, count, RESULT), Errno.success);
  assert.equal(stdio.view().getUint32(RESULT, true), count);
  assert.equal(stdio.output.content().length, count);
});

test("fd_read scatters what there is and does not wait for more", () => {
  const stdio = createStdio();
  stdio.input.fill("abc");
  putIovs(stdio, IOVS, [BUFFER, 2], [BUFFER + 16, 8]);
  assert.equal(stdio.call("fd_read", 0, IOVS, 2, RESULT), Errno.success);
  assert.equal(stdio.view().getUint32(RESULT, true), 3);
  assert.equal(stdio.text(BUFFER, 2) + stdio.text(BUFFER + 16, 1), "abc");
});

test("fd_read waits for the first byte, and answers 0 at the end", () => {
  const stdio = createStdio();
  stdio.waiter.onWait = () => stdio.input.fill("x");
  putIovs(stdio, IOVS, [BUFFER, 4]);
  assert.equal(stdio.call("fd_read", 0, IOVS, 1, RESULT), Errno.success);
  assert.equal(stdio.view().getUint32(RESULT, true), 1);
  stdio.waiter.onWait = () => stdio.input.end();
  assert.equal(stdio.call("fd_read", 0, IOVS, 1, RESULT), Errno.success);
  assert.equal(stdio.view().getUint32(RESULT, true), 0);
});

test("fd_read without room does not wait", () => {
  const stdio = createStdio();
  putIovs(stdio, IOVS, [BUFFER, 0]);
  assert.equal(stdio.call("fd_read", 0, IOVS, 1, RESULT), Errno.success);
  assert.equal(stdio.view().getUint32(RESULT, true), 0);
});

test("a bad buffer behind good ones moves nothing", () => {
  const stdio = createStdio();
  stdio.input.fill("abc");
  putIovs(stdio, IOVS, [BUFFER, 1], [0xffff_fff0, 64]);
  assert.equal(stdio.call("fd_read", 0, IOVS, 2, RESULT), Errno.fault);
  assert.equal(stdio.call("fd_write", 1, IOVS, 2, RESULT), Errno.fault);
  assert.equal(stdio.input.content(), "abc");
  assert.equal(stdio.output.content(), "");
});

test("a bad place for the result moves nothing", () => {
  const stdio = createStdio();
  stdio.input.fill("abc");
  putIovs(stdio, IOVS, [BUFFER, 1]);
  assert.equal(stdio.call("fd_read", 0, IOVS, 1, 0xffff_fffe), Errno.fault);
  assert.equal(stdio.call("fd_write", 1, IOVS, 1, 0xffff_fffe), Errno.fault);
  assert.equal(stdio.input.content() + stdio.output.content(), "abc");
});

test("directions are not mixed up", () => {
  const stdio = createStdio();
  putIovs(stdio, IOVS, [BUFFER, 1]);
  assert.equal(stdio.call("fd_read", 1, IOVS, 1, RESULT), Errno.badf);
  assert.equal(stdio.call("fd_write", 0, IOVS, 1, RESULT), Errno.badf);
  assert.equal(stdio.call("fd_pread", 0, IOVS, 1, 0n, RESULT), Errno.spipe);
  assert.equal(stdio.call("fd_pwrite", 1, IOVS, 1, 0n, RESULT), Errno.spipe);
  assert.equal(stdio.call("fd_seek", 0, 0n, 0, RESULT), Errno.spipe);
});

test("an error of the waiter reaches the caller, and the next call starts anew", () => {
  const stdio = createStdio(2);
  stdio.waiter.onWait = () => {
    throw new Error("stopped");
  };
  stdio.put(BUFFER, "abcdef");
  putIovs(stdio, IOVS, [BUFFER, 6]);
  assert.throws(() => stdio.call("fd_write", 1, IOVS, 1, RESULT), /stopped/);
  assert.equal(stdio.output.drain(8), "ab");
  stdio.waiter.onWait = () => stdio.output.drain(8);
  assert.equal(stdio.call("fd_write", 1, IOVS, 1, RESULT), Errno.success);
  assert.equal(stdio.view().getUint32(RESULT, true), 6);
});

test("the null device is at its end and takes everything", () => {
  const instance = createInstance();
  putIovs(instance, IOVS, [BUFFER, 100]);
  assert.equal(instance.call("fd_read", 0, IOVS, 1, RESULT), Errno.success);
  assert.equal(instance.view().getUint32(RESULT, true), 0);
  assert.equal(instance.call("fd_write", 1, IOVS, 1, RESULT), Errno.success);
  assert.equal(instance.view().getUint32(RESULT, true), 100);
});

test("a terminal is a character device that cannot seek, and other stdio is not", () => {
  const { call, view } = createInstance({
    descriptors: [
      { kind: "input", stream: NULL_INPUT, terminal: true },
      { kind: "output", stream: NULL_OUTPUT, terminal: true },
      { kind: "output", stream: NULL_OUTPUT },
    ],
  });
  const filetypes = [0, 1, 2].map((fd) => {
    assert.equal(call("fd_fdstat_get", fd, 0), Errno.success);
    assert.equal(call("fd_filestat_get", fd, 32), Errno.success);
    assert.equal(view().getUint8(32 + 16), view().getUint8(0));
    assert.equal(view().getUint32(8, true) & rights("fd_seek", "fd_tell"), 0);
    return view().getUint8(0);
  });
  assert.deepEqual(filetypes, [
    Filetype.characterDevice,
    Filetype.characterDevice,
    Filetype.unknown,
  ]);
  assert.equal(call("fd_seek", 1, 0n, 0, 64), Errno.spipe);
});
