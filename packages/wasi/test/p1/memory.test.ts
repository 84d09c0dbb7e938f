import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { Errno } from "../../src/errno.ts";
import { GuestMemory } from "../../src/p1/memory.ts";
import { createInstance, PAGE, putIovs } from "./support/instance.ts";
import { createPipe } from "./support/pipe.ts";

const FOUR_GIB_PAGES = 65_536;

test("a range is inside exactly when its end is", () => {
  const memory = new GuestMemory();
  memory.bind(new WebAssembly.Memory({ initial: 1 }));
  const u32 = fc.oneof(fc.nat({ max: 2 * PAGE }), fc.integer({ min: 0, max: 0xffff_ffff }));
  fc.assert(
    fc.property(u32, u32, (pointer, length) => {
      assert.equal(memory.has(pointer, length), pointer + length <= PAGE);
    }),
  );
});

test("calls before the memory is bound answer fault", () => {
  assert.equal(new GuestMemory().has(0, 1), false);
});

for (const shared of [false, true]) {
  const kind = shared ? "shared" : "unshared";
  test(`memory that has grown is used, ${kind}`, () => {
    const instance = createInstance({ pages: 1, shared });
    assert.equal(instance.call("random_get", PAGE, 16), Errno.fault);
    instance.memory.grow(1);
    assert.equal(instance.call("random_get", PAGE, 16), Errno.success);
    assert.notDeepEqual(instance.bytes().slice(PAGE, PAGE + 16), new Uint8Array(16));
  });

  test(`paths, names and links are read and written, ${kind}`, () => {
    const instance = createInstance({ shared });
    const path = "d\u00e9j\u00e0-\u{1f3f0}";
    const length = new TextEncoder().encode(path).length;
    instance.put(0x1000, path);
    assert.equal(instance.call("path_symlink", 0x1000, length, 3, 0x1000, length), Errno.success);
    assert.equal(
      instance.call("path_readlink", 3, 0x1000, length, 0x2000, 100, 0x400),
      Errno.success,
    );
    assert.equal(instance.text(0x2000, instance.view().getUint32(0x400, true)), path);
    assert.equal(instance.call("fd_readdir", 3, 0x3000, 200, 2n, 0x400), Errno.success);
    assert.equal(instance.text(0x3000 + 24, length), path);
    assert.equal(instance.view().getUint32(0x400, true), 24 + length);
  });
}

test("a path that is not UTF-8 answers ilseq, one with NUL inval, a long one nametoolong", () => {
  const instance = createInstance();
  instance.put(0x1000, Uint8Array.of(0xc3, 0x28));
  assert.equal(instance.call("path_unlink_file", 3, 0x1000, 2), Errno.ilseq);
  instance.put(0x1000, "a\0b");
  assert.equal(instance.call("path_unlink_file", 3, 0x1000, 3), Errno.inval);
  instance.put(0x1000, "a/".repeat(2048));
  assert.equal(instance.call("path_unlink_file", 3, 0x1000, 4096), Errno.nametoolong);
  assert.equal(instance.call("path_unlink_file", 3, 0x1000, 0xffff_ffff), Errno.fault);
});

test("a memory of 4 GiB works to its last byte", () => {
  const output = createPipe(64);
  const instance = createInstance({
    pages: FOUR_GIB_PAGES,
    descriptors: [{ kind: "null" }, { kind: "output", stream: output.output }, { kind: "null" }],
  });
  const end = 0x1_0000_0000;
  instance.put(end - 4, "last");
  putIovs(instance, end - 16, [end - 4, 4]);
  assert.equal(instance.call("fd_write", 1, end - 16, 1, end - 8), Errno.success);
  assert.equal(output.content(), "last");
  assert.equal(instance.call("random_get", end - 1, 2), Errno.fault);
  assert.equal(instance.call("fd_write", 2, end - 8, 2, 0), Errno.fault);
  putIovs(instance, 0x100, [0, 0xffff_ffff], [1, 0xffff_ffff]);
  assert.equal(instance.call("fd_write", 2, 0x100, 2, 0x400), Errno.success);
  assert.equal(instance.view().getUint32(0x400, true), 0xffff_ffff);
});
