import assert from "node:assert/strict";
import test from "node:test";
import { Errno } from "../../src/errno.ts";
import { createInstance, putIovs } from "./support/instance.ts";

function createFile() {
  const instance = createInstance();
  instance.put(0x100, "f");
  assert.equal(instance.call("path_open", 3, 0, 0x100, 1, 1, 66n, 0n, 0, 0x400), Errno.success);
  instance.put(0x1000, "0123456789");
  putIovs(instance, 0x200, [0x1000, 10]);
  assert.equal(instance.call("fd_write", 4, 0x200, 1, 0x400), Errno.success);
  return instance;
}

test("whence has another order in wasi_unstable", () => {
  const file = createFile();
  const seek = (unstable: boolean, offset: bigint, whence: number) => {
    const call = unstable ? file.callUnstable : file.call;
    assert.equal(call("fd_seek", 4, offset, whence, 0x400), Errno.success);
    return Number(file.view().getBigUint64(0x400, true));
  };
  assert.equal(seek(false, 4n, 0), 4);
  assert.equal(seek(true, 1n, 0), 5);
  assert.equal(seek(true, -1n, 1), 9);
  assert.equal(seek(true, 3n, 2), 3);
  assert.equal(seek(false, 2n, 1), 5);
  assert.equal(seek(false, -2n, 2), 8);
});

test("filestat is 56 bytes with a u32 link count in wasi_unstable, 64 bytes otherwise", () => {
  const file = createFile();
  file.bytes().fill(0xff, 0x1000, 0x1050);
  assert.equal(file.callUnstable("fd_filestat_get", 4, 0x1000), Errno.success);
  const view = file.view();
  assert.equal(view.getUint8(0x1010), 4);
  assert.equal(view.getUint32(0x1014, true), 1);
  assert.equal(view.getBigUint64(0x1018, true), 10n);
  assert.equal(view.getUint8(0x1000 + 56), 0xff);
  assert.equal(file.call("path_filestat_get", 3, 0, 0x100, 1, 0x1000), Errno.success);
  assert.equal(file.view().getBigUint64(0x1018, true), 1n);
  assert.equal(file.view().getBigUint64(0x1020, true), 10n);
  assert.equal(file.view().getUint8(0x1000 + 64), 0xff);
});

test("a clock subscription has an identifier first in wasi_unstable", () => {
  const instance = createInstance();
  const view = instance.view();
  view.setBigUint64(0x1000, 77n, true);
  view.setBigUint64(0x1010, 0x1234n, true); // identifier
  view.setUint32(0x1018, 1, true); // monotonic
  view.setBigUint64(0x1020, 50n, true); // timeout
  instance.waiter.onWait = (deadline) => {
    assert.equal(deadline, 1_050n);
    instance.clock.now = 1_050n;
  };
  assert.equal(instance.callUnstable("poll_oneoff", 0x1000, 0x2000, 1, 0x400), Errno.success);
  assert.equal(instance.view().getBigUint64(0x2000, true), 77n);
});

test("wasi_unstable has no sock_accept and shares descriptors with the snapshot", () => {
  const file = createFile();
  assert.equal("sock_accept" in file.wasi.unstable, false);
  assert.equal(Object.keys(file.wasi.unstable).length, Object.keys(file.wasi.imports).length - 1);
  assert.equal(file.callUnstable("fd_close", 4), Errno.success);
  assert.equal(file.call("fd_close", 4), Errno.badf);
});
