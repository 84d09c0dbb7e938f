import assert from "node:assert/strict";
import test from "node:test";
import { createPooledRandom, POOL_BYTES } from "../../src/capability/random.ts";
import { Errno } from "../../src/errno.ts";
import { FUNCTION_NAMES, FUNCTIONS } from "../../src/p1/functions.ts";
import { createPreview1 } from "../../src/p1/preview1.ts";
import { createInstance } from "./support/instance.ts";

test("the table names every import, with its number of parameters", () => {
  const { wasi } = createInstance();
  assert.equal(FUNCTION_NAMES.length, 46);
  assert.deepEqual(Object.keys(wasi.imports).sort(), [...FUNCTION_NAMES].sort());
  for (const name of FUNCTION_NAMES) {
    assert.equal(wasi.imports[name]!.length, FUNCTIONS[name].params.length, name);
  }
});

test("exactly the functions that may wait are attempts for a driver", () => {
  const { attempts } = createInstance().wasi;
  const waiting = FUNCTION_NAMES.filter((name) => FUNCTIONS[name].waits);
  assert.deepEqual([...attempts.waiting.keys()], waiting);
  for (const [name, attempt] of attempts.waiting) {
    assert.equal(attempt.length, FUNCTIONS[name].params.length + 1, name);
    assert.match(FUNCTIONS[name].params, /^i+$/);
  }
});

test("arguments and environment arrive with their NULs, in UTF-8", () => {
  const instance = createInstance({ args: ["caf\u00e9", ""], env: [["A", "1=2"]] });
  assert.equal(instance.call("args_sizes_get", 0, 4), Errno.success);
  assert.deepEqual(
    [instance.view().getUint32(0, true), instance.view().getUint32(4, true)],
    [2, 7],
  );
  assert.equal(instance.call("args_get", 16, 64), Errno.success);
  assert.deepEqual(
    [instance.view().getUint32(16, true), instance.view().getUint32(20, true)],
    [64, 70],
  );
  assert.equal(instance.text(64, 7), "caf\u00e9\0\0");
  assert.equal(instance.call("environ_get", 16, 64), Errno.success);
  assert.equal(instance.text(64, 6), "A=1=2\0");
});

test("arguments that a C string cannot hold are refused when the instance is made", () => {
  assert.throws(() => createInstance({ args: ["a\0b"] }), RangeError);
  assert.throws(() => createInstance({ env: [["A=B", "c"]] }), RangeError);
  assert.throws(() => createInstance({ env: [["", "c"]] }), RangeError);
  assert.throws(() => createInstance({ args: ["x".repeat(3_000_000)] }), RangeError);
});

test("a descriptor limit that cannot hold the grants is refused", () => {
  for (const descriptorLimit of [3, Number.NaN, 1e9, -1]) {
    assert.throws(() => createInstance({ descriptorLimit }), RangeError);
  }
});

test("each clock answers its own time", () => {
  const instance = createInstance();
  const times = [0, 1, 2, 3].map((id) => {
    assert.equal(instance.call("clock_time_get", id, 0n, 64), Errno.success);
    return instance.view().getBigUint64(64, true);
  });
  assert.deepEqual(times, [instance.clock.realtime(), 1_000n, 5n, 6n]);
  assert.equal(instance.call("clock_time_get", 4, 0n, 64), Errno.inval);
  assert.equal(instance.call("clock_res_get", 0xffff_ffff, 64), Errno.inval);
});

test("random bytes are those of the source, none twice", () => {
  let next = 0;
  const random = createPooledRandom((bytes) => {
    for (let index = 0; index < bytes.length; index++) bytes[index] = next++ % 251;
  });
  const seen = new Uint8Array(3 * POOL_BYTES);
  let at = 0;
  for (const length of [1, 16, 128, 129, 16, POOL_BYTES + 5, 100, 0, 7]) {
    random.fill(seen, at, length);
    at += length;
  }
  for (let index = 1; index < at; index++) {
    // In order, but for jumps over what was thrown away with a pool.
    assert.ok(seen[index] === (seen[index - 1]! + 1) % 251 || index > 16);
  }
  assert.equal(seen[at], 0);
});

test("descriptors beyond the limit answer mfile, and closing one makes room", () => {
  const instance = createInstance({ descriptorLimit: 5 });
  instance.put(0x100, ".");
  const open = () => instance.call("path_open", 3, 0, 0x100, 1, 0, 2n, 0n, 0, 0x400);
  assert.equal(open(), Errno.success);
  assert.equal(open(), Errno.mfile);
  assert.equal(instance.call("fd_close", 4), Errno.success);
  assert.equal(open(), Errno.success);
  assert.equal(instance.view().getUint32(0x400, true), 4);
});

test("preopens come right after the first three descriptors", () => {
  const { files } = createInstance();
  const base = createInstance();
  const wasi = createPreview1({
    args: [],
    env: [],
    clock: base.clock,
    random: createPooledRandom(() => {}),
    waiter: base.waiter,
    descriptors: [{ kind: "null" }, { kind: "null" }, { kind: "null" }, { kind: "null" }],
    preopens: [
      { guest: "/a", directory: files.root, writable: true },
      { guest: "/b", directory: files.root, writable: false },
    ],
  });
  wasi.bindMemory(base.memory);
  const prestat = wasi.imports["fd_prestat_get"] as unknown as (fd: number, at: number) => number;
  assert.deepEqual(
    [2, 3, 4, 5].map((fd) => prestat(fd, 0)),
    [Errno.badf, 0, 0, Errno.badf],
  );
});

test("nothing can be changed through a preopen that is not writable", () => {
  const { files, ...instance } = createInstance();
  const guarded = createInstance({
    preopens: [
      { guest: "/ro", directory: files.root, writable: false },
      { guest: "/rw", directory: files.root, writable: true },
    ],
  });
  instance.put(0x100, "f");
  const create = [3, 0, 0x100, 1, 1, 66n, 0n, 0, 0x400] as const;
  assert.equal(instance.call("path_open", ...create), Errno.success);
  guarded.put(0x100, "fg");
  assert.equal(guarded.call("path_open", ...create), Errno.perm);
  assert.equal(guarded.call("path_open", 3, 0, 0x100, 1, 8, 2n, 0n, 0, 0x400), Errno.perm);
  assert.equal(guarded.call("path_create_directory", 3, 0x101, 1), Errno.perm);
  assert.equal(guarded.call("path_unlink_file", 3, 0x100, 1), Errno.perm);
  assert.equal(guarded.call("path_symlink", 0x100, 1, 3, 0x101, 1), Errno.perm);
  // Neither a link nor a rename into the writable one makes the file writable.
  assert.equal(guarded.call("path_link", 3, 0, 0x100, 1, 4, 0x101, 1), Errno.perm);
  assert.equal(guarded.call("path_rename", 3, 0x100, 1, 4, 0x101, 1), Errno.perm);
  assert.equal(guarded.call("path_open", 3, 0, 0x100, 1, 0, 2n, 0n, 0, 0x400), Errno.success);
  const fd = guarded.view().getUint32(0x400, true);
  assert.equal(guarded.call("fd_filestat_set_times", fd, 1n, 1n, 5), Errno.perm);
  assert.equal(guarded.call("fd_filestat_set_size", fd, 0n), Errno.inval);
  assert.equal(guarded.call("fd_allocate", fd, 0n, 1n), Errno.badf);
});
