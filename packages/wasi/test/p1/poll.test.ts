import assert from "node:assert/strict";
import test from "node:test";
import { Errno } from "../../src/errno.ts";
import { MAX_SUBSCRIPTIONS } from "../../src/p1/poll.ts";
import { createInstance, PAGE, type TestInstance } from "./support/instance.ts";
import { createPipe } from "./support/pipe.ts";

const SUBS = 0x1000;
const OUT = 0x2000;
const RESULT = 0x400;
const MONOTONIC = 1;
const REALTIME = 0;
const ABSOLUTE = 1;

interface Timer {
  readonly id?: number;
  readonly timeout: bigint;
  readonly flags?: number;
}

function putTimer(
  instance: TestInstance,
  index: number,
  { id = MONOTONIC, timeout, flags = 0 }: Timer,
) {
  const view = instance.view();
  const at = SUBS + index * 48;
  view.setBigUint64(at, BigInt(index + 1), true);
  view.setUint8(at + 8, 0);
  view.setUint32(at + 16, id, true);
  view.setBigUint64(at + 24, timeout, true);
  view.setUint16(at + 40, flags, true);
}

function putFd(instance: TestInstance, index: number, type: 1 | 2, fd: number) {
  const view = instance.view();
  const at = SUBS + index * 48;
  view.setBigUint64(at, BigInt(index + 1), true);
  view.setUint8(at + 8, type);
  view.setUint32(at + 16, fd, true);
}

function events(instance: TestInstance) {
  const view = instance.view();
  return Array.from({ length: view.getUint32(RESULT, true) }, (_, index) => {
    const at = OUT + index * 32;
    return {
      userdata: Number(view.getBigUint64(at, true)),
      error: view.getUint16(at + 8, true),
      type: view.getUint8(at + 10),
      bytes: Number(view.getBigUint64(at + 16, true)),
      hangup: view.getUint16(at + 24, true) === 1,
    };
  });
}

function createPipes() {
  const input = createPipe();
  const output = createPipe(4);
  const instance = createInstance({
    descriptors: [
      { kind: "input", stream: input.input },
      { kind: "output", stream: output.output },
      { kind: "null" },
    ],
  });
  return { ...instance, input, output };
}

test("a relative timer waits until its time after the first attempt", () => {
  const instance = createInstance();
  instance.waiter.onWait = (deadline) => {
    assert.equal(deadline, 1_500n);
    instance.clock.now += 300n;
  };
  putTimer(instance, 0, { timeout: 500n });
  assert.equal(instance.call("poll_oneoff", SUBS, OUT, 1, RESULT), Errno.success);
  assert.equal(instance.waiter.waits.length, 2);
  assert.deepEqual(events(instance), [{ userdata: 1, error: 0, type: 0, bytes: 0, hangup: false }]);
  // The next call has its own start.
  instance.waiter.onWait = (deadline) => {
    assert.equal(deadline, 2_100n);
    instance.clock.now = 2_100n;
  };
  assert.equal(instance.call("poll_oneoff", SUBS, OUT, 1, RESULT), Errno.success);
});

test("absolute timers are due by their own clocks, the earliest is waited for", () => {
  const instance = createInstance();
  putTimer(instance, 0, { id: MONOTONIC, timeout: 5_000n, flags: ABSOLUTE });
  putTimer(instance, 1, {
    id: REALTIME,
    timeout: instance.clock.realtime() + 700n,
    flags: ABSOLUTE,
  });
  instance.waiter.onWait = (deadline) => {
    assert.equal(deadline, 1_700n);
    instance.clock.now = 1_700n;
  };
  assert.equal(instance.call("poll_oneoff", SUBS, OUT, 2, RESULT), Errno.success);
  assert.deepEqual(
    events(instance).map(({ userdata }) => userdata),
    [2],
  );
});

test("a time-out of 2^64 - 1 waits for ever and does not overflow", () => {
  const instance = createInstance();
  putTimer(instance, 0, { timeout: 0xffff_ffff_ffff_ffffn });
  instance.waiter.onWait = (deadline) => {
    assert.ok(deadline !== null && deadline > 0xffff_ffff_ffff_fff0n);
    throw new Error("waited");
  };
  assert.throws(() => instance.call("poll_oneoff", SUBS, OUT, 1, RESULT), /waited/);
});

test("streams are told with their bytes, or as hung up", () => {
  const pipes = createPipes();
  putFd(pipes, 0, 1, 0);
  putFd(pipes, 1, 2, 1);
  pipes.input.fill("abc");
  assert.equal(pipes.call("poll_oneoff", SUBS, OUT, 2, RESULT), Errno.success);
  assert.deepEqual(events(pipes), [
    { userdata: 1, error: 0, type: 1, bytes: 3, hangup: false },
    { userdata: 2, error: 0, type: 2, bytes: 4, hangup: false },
  ]);
  pipes.input.drain(3);
  pipes.input.end();
  pipes.output.input.close();
  assert.equal(pipes.call("poll_oneoff", SUBS, OUT, 2, RESULT), Errno.success);
  assert.deepEqual(
    events(pipes).map(({ hangup }) => hangup),
    [true, true],
  );
});

test("a stream that becomes ready ends the wait before the timer", () => {
  const pipes = createPipes();
  putTimer(pipes, 0, { timeout: 1_000n });
  putFd(pipes, 1, 1, 0);
  pipes.waiter.onWait = () => pipes.input.fill("x");
  assert.equal(pipes.call("poll_oneoff", SUBS, OUT, 2, RESULT), Errno.success);
  assert.deepEqual(
    events(pipes).map(({ userdata }) => userdata),
    [2],
  );
});

test("wrong subscriptions are refused", () => {
  const instance = createInstance();
  putTimer(instance, 0, { timeout: 0n });
  assert.equal(instance.call("poll_oneoff", SUBS, OUT, 0, RESULT), Errno.inval);
  instance.view().setUint8(SUBS + 8, 3);
  assert.equal(instance.call("poll_oneoff", SUBS, OUT, 1, RESULT), Errno.inval);
  putTimer(instance, 0, { id: 2, timeout: 0n });
  assert.equal(instance.call("poll_oneoff", SUBS, OUT, 1, RESULT), Errno.inval);
  putTimer(instance, 0, { timeout: 0n, flags: 2 });
  assert.equal(instance.call("poll_oneoff", SUBS, OUT, 1, RESULT), Errno.inval);
  for (const fd of [9, 3, 0xffff_ffff]) {
    putFd(instance, 0, 1, fd);
    assert.equal(instance.call("poll_oneoff", SUBS, OUT, 1, RESULT), Errno.badf);
  }
});

test("a million subscriptions are refused, and the most allowed are answered", () => {
  const instance = createInstance({ pages: 1600 });
  const many = 1_000_000;
  assert.equal(instance.call("poll_oneoff", 0, 1600 * PAGE - many * 32, many, RESULT), Errno.nomem);
  assert.equal(instance.call("poll_oneoff", 0, 0, 0xffff_ffff, RESULT), Errno.fault);
  // Zeros are relative timers of the real clock that are due at once.
  const out = 800 * PAGE;
  assert.equal(instance.call("poll_oneoff", PAGE, out, MAX_SUBSCRIPTIONS, RESULT), Errno.success);
  assert.equal(instance.view().getUint32(RESULT, true), MAX_SUBSCRIPTIONS);
});

test("a timer that was due at once leaves no start for the next call", () => {
  const instance = createInstance();
  putTimer(instance, 0, { timeout: 0n });
  assert.equal(instance.call("poll_oneoff", SUBS, OUT, 1, RESULT), Errno.success);
  instance.clock.now = 9_000n;
  putTimer(instance, 0, { timeout: 500n });
  instance.waiter.onWait = (deadline) => {
    assert.equal(deadline, 9_500n);
    instance.clock.now = 9_500n;
  };
  assert.equal(instance.call("poll_oneoff", SUBS, OUT, 1, RESULT), Errno.success);
  assert.equal(instance.waiter.waits.length, 1);
});
