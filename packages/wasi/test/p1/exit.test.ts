import assert from "node:assert/strict";
import test from "node:test";
import { Errno } from "../../src/errno.ts";
import { assemble, i32, op } from "./support/assemble.ts";
import { createInstance } from "./support/instance.ts";

test("proc_exit throws what only its own instance recognises", () => {
  const instance = createInstance();
  const other = createInstance();
  assert.throws(
    () => instance.call("proc_exit", 7),
    (error) => instance.wasi.exit.isExit(error) && !other.wasi.exit.isExit(error),
  );
  assert.equal(instance.wasi.exit.code, 7);
  assert.equal(instance.wasi.exit.isExit(new WebAssembly.RuntimeError("unreachable")), false);
});

test("exit codes are all of u32, and the first one stays", () => {
  const instance = createInstance();
  assert.throws(() => instance.call("proc_exit", 0xffff_ffff));
  assert.throws(() => instance.call("proc_exit", 1));
  assert.equal(instance.wasi.exit.code, 0xffff_ffff);
});

test("a guest cannot catch its exit", () => {
  const instance = createInstance();
  const module = assemble({
    imports: [{ module: "wasi_snapshot_preview1", name: "proc_exit", params: "i", result: "" }],
    functions: [
      {
        name: "run",
        result: "i",
        body: [op.try, op.empty, ...i32(3), op.call, 0, op.catchAll, op.end, ...i32(99)],
      },
    ],
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module), {
    wasi_snapshot_preview1: instance.wasi.imports,
  });
  assert.throws(
    () => (exports["run"] as () => number)(),
    (error) => instance.wasi.exit.isExit(error),
  );
  assert.equal(instance.wasi.exit.code, 3);
});

test("proc_raise is not supported and refuses what is no signal", () => {
  const instance = createInstance();
  assert.equal(instance.call("proc_raise", 9), Errno.notsup);
  assert.equal(instance.call("proc_raise", 31), Errno.inval);
});

test("thread-spawn passes to the given threads, and answers an errno without", () => {
  const spawned: number[] = [];
  const threads = {
    spawn(startArg: number) {
      spawned.push(startArg);
      return 1;
    },
  };
  const spawn = createInstance({ threads }).wasi.threads["thread-spawn"] as unknown as (
    a: number,
  ) => number;
  assert.equal(spawn(42), 1);
  assert.deepEqual(spawned, [42]);
  const none = createInstance().wasi.threads["thread-spawn"] as unknown as (a: number) => number;
  assert.equal(none(42), -Errno.notsup);
});
