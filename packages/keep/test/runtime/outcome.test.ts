import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { guestBytes, readAll, startGuest } from "./harness.ts";

describe("exit", () => {
  for (const code of [0, 1, 42, 255]) {
    it(`passes exit code ${code} through`, async (t) => {
      const { outcome } = await startGuest(t, { guest: "exit", argc: code }).result;
      assert.deepEqual(outcome, { kind: "exit", code });
    });
  }

  it("runs an entry under the empty name", async (t) => {
    const { outcome } = await startGuest(t, { guest: "empty-name" }).result;
    assert.deepEqual(outcome, { kind: "exit", code: 4 });
  });

  it("tells phases and usage", async (t) => {
    const workload = startGuest(t, { guest: "exit" });
    const { usage } = await workload.result;
    assert.deepEqual([...workload.phases.keys()].sort(), [
      "compile",
      "engine",
      "grants",
      "instantiate",
      "worker",
    ]);
    assert.ok(usage.peakMemory > 1 << 20 && usage.wallMs > 0 && usage.cpuMs >= 0);
  });
});

describe("traps", () => {
  const reasons = [
    [1, "unreachable instruction executed"],
    [2, "out of bounds memory access"],
    [3, "integer divide by zero"],
    [4, "indirect call type mismatch"],
    [5, "out of bounds table access"],
    [6, "stack overflow"],
    [7, "invalid conversion to integer"],
    [8, "integer overflow"],
  ] as const;
  for (const [argc, reason] of reasons) {
    it(`tells '${reason}' with named frames`, async (t) => {
      const { outcome } = await startGuest(t, { guest: "trap", argc }).result;
      assert.ok(outcome.kind === "trap", JSON.stringify(outcome));
      assert.equal(outcome.reason, reason);
      const names = outcome.frames.map((frame) => frame.function);
      if (argc === 6) assert.ok(names.every((name) => name === "recurse") && names.length > 10);
      else assert.deepEqual(names.slice(-2), ["choose", "_start"]);
      if (argc === 1) assert.equal(names[0], "core::panic");
      assert.ok(outcome.frames.every((frame) => frame.module === "traps" && frame.offset > 8));
    });
  }
});

describe("modules that cannot run", () => {
  const cases: readonly [name: string, bytes: () => Uint8Array, code: string, message: RegExp][] = [
    [
      "not WebAssembly",
      () => Buffer.from("#!/bin/sh\n"),
      "workload/invalid",
      /not WebAssembly.*23 21 2f 62/,
    ],
    ["empty", () => new Uint8Array(0), "workload/invalid", /not WebAssembly: it is empty/],
    [
      "native",
      () => new TextEncoder().encode("\x7fELF"),
      "workload/invalid",
      /begins with '7f 45 4c 46' \(a native program: build it for wasm32-wasip1\)/,
    ],
    [
      "truncated",
      () => guestBytes("echo").subarray(0, 150),
      "workload/invalid",
      /not a valid module/,
    ],
    [
      "a component",
      () => Uint8Array.of(0, 0x61, 0x73, 0x6d, 13, 0, 1, 0),
      "workload/unsupported",
      /component/,
    ],
    ["without an entry", () => guestBytes("no-entry"), "workload/unsupported", /neither '_start'/],
    [
      "with foreign imports",
      () => guestBytes("foreign"),
      "workload/unsupported",
      /'env' 'print' \(function\), 'wasi_snapshot_preview1' 'sock_open'/,
    ],
  ];
  for (const [name, bytes, code, message] of cases) {
    it(`refuses a module that is ${name}`, async (t) => {
      const { result } = startGuest(t, { guest: bytes() });
      await assert.rejects(result, { name: "DonjonError", code, message });
    });
  }

  it("refuses a body that is not valid, with the engine's reason", async (t) => {
    const bytes = Buffer.from(guestBytes("spin"));
    bytes[bytes.indexOf(Buffer.of(0x03, 0x40, 0x0c, 0x00)) + 2] = 0xff;
    const { result } = startGuest(t, { guest: bytes });
    await assert.rejects(result, {
      code: "workload/invalid",
      message: /invalid opcode 0xff|nvalid/,
    });
  });

  it("gives every truncation of a module an error, never a crash", async (t) => {
    const whole = guestBytes("exit");
    for (let length = 0; length < whole.length; length += 37) {
      const { result } = startGuest(t, { guest: whole.slice(0, length) });
      await assert.rejects(result, { name: "DonjonError" });
    }
  });
});

describe("limits", () => {
  it("ends an endless loop at the time limit", async (t) => {
    const { outcome, usage } = await startGuest(t, { guest: "spin", limits: { timeMs: 200 } })
      .result;
    assert.deepEqual(outcome, { kind: "limit", limit: "time", value: 200 });
    assert.ok(usage.wallMs >= 200 && usage.wallMs < 5000);
  });

  it("refuses a module whose memory starts above the limit", async (t) => {
    const { result } = startGuest(t, { guest: "echo", limits: { memoryBytes: 65_536 } });
    await assert.rejects(result, { code: "workload/limit", message: /131072 bytes.*65536/ });
  });

  it("ends endless output at the output limit, having delivered all of it", async (t) => {
    const workload = startGuest(t, { guest: "flood", limits: { outputBytes: 3_000_001 } });
    const [output, { outcome }] = await Promise.all([readAll(workload.stdout), workload.result]);
    assert.deepEqual(outcome, { kind: "limit", limit: "output", value: 3_000_001 });
    assert.equal(output.length, 3_000_001);
  });
});
