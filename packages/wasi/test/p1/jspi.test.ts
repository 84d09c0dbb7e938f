import assert from "node:assert/strict";
import test from "node:test";
import { Errno } from "../../src/errno.ts";
import { createJspiImports, createPromising, hasJspi } from "../../src/p1/driver/jspi.ts";
import { assemble, i32, op } from "./support/assemble.ts";
import { createInstance, putIovs } from "./support/instance.ts";
import { createPipe } from "./support/pipe.ts";

/** `read(fd)` and `write(fd)` call the function with the iovec at 0x100 and the result at 0x400. */
const MODULE = assemble({
  imports: ["fd_read", "fd_write"].map((name) => ({
    module: "wasi_snapshot_preview1",
    name,
    params: "iiii",
    result: "i",
  })),
  functions: ["read", "write"].map((name, index) => ({
    name,
    params: "i",
    result: "i",
    body: [op.localGet, 0, ...i32(0x100), ...i32(1), ...i32(0x400), op.call, index],
  })),
});

function createSuspended() {
  const input = createPipe();
  const output = createPipe(2);
  const instance = createInstance({
    descriptors: [
      { kind: "input", stream: input.input },
      { kind: "output", stream: output.output },
      { kind: "null" },
    ],
  });
  let epoch = 0;
  let wake: (() => void)[] = [];
  const waiter = {
    epoch: () => epoch,
    wait: (seen: number) =>
      seen === epoch ? new Promise<void>((resolve) => wake.push(resolve)) : Promise.resolve(),
  };
  const change = () => {
    epoch++;
    for (const resolve of wake) resolve();
    wake = [];
  };
  const imports = createJspiImports(instance.wasi.attempts, waiter) as WebAssembly.ModuleImports;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(MODULE), {
    wasi_snapshot_preview1: imports,
  });
  const promising = (name: string) =>
    createPromising(exports[name] as (...args: number[]) => unknown);
  putIovs(instance, 0x100, [0x1000, 5]);
  return { ...instance, input, output, change, read: promising("read"), write: promising("write") };
}

test("a read that must wait suspends the guest until something comes", {
  skip: !hasJspi(),
}, async () => {
  const guest = createSuspended();
  let done = false;
  const reading = guest.read(0).then((errno) => {
    done = true;
    return errno;
  });
  await Promise.resolve();
  assert.equal(done, false);
  guest.input.fill("hey");
  guest.change();
  assert.equal(await reading, Errno.success);
  assert.equal(guest.text(0x1000, 3), "hey");
});

test("two suspended calls keep their own progress", { skip: !hasJspi() }, async () => {
  const guest = createSuspended();
  guest.put(0x1000, "abcde");
  const writing = guest.write(1);
  const reading = guest.read(0);
  let written = "";
  for (let round = 0; round < 3; round++) {
    written += guest.output.drain(2);
    guest.change();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(await writing, Errno.success);
  assert.equal(written + guest.output.content(), "abcde");
  guest.input.end();
  guest.change();
  assert.equal(await reading, Errno.success);
});

test("a call that need not wait answers at once", { skip: !hasJspi() }, async () => {
  const guest = createSuspended();
  guest.input.fill("now");
  assert.equal(await guest.read(0), Errno.success);
  assert.equal(await guest.read(9), Errno.badf);
});
