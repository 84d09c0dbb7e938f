import assert from "node:assert/strict";
import { randomFillSync } from "node:crypto";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { donjonRun, type Finished, makeFolder } from "../support/keep.ts";

const MIB = 1 << 20;
const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const EMPTY_TYPE = [0x60, 0, 0];

function leb(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...leb(Math.floor(value / 128))];
}

function section(id: number, ...content: (Uint8Array | readonly number[])[]): Buffer {
  const bytes = Buffer.concat(content.map((part) => Uint8Array.from(part)));
  return Buffer.concat([Uint8Array.of(id, ...leb(bytes.length)), bytes]);
}

function text(value: string): number[] {
  return [...leb(value.length), ...Buffer.from(value)];
}

interface Parts {
  readonly types?: Uint8Array;
  readonly imports?: Uint8Array;
  readonly functions?: Uint8Array;
  /** Sections between functions and exports. */
  readonly more?: Uint8Array;
  readonly start?: Uint8Array;
  readonly code: Uint8Array;
}

/** A module whose function 0 is `_start`. */
function createModule({ types, imports, functions, more, start, code }: Parts): Buffer {
  return Buffer.concat([
    Uint8Array.from(HEADER),
    types ?? section(1, [1, ...EMPTY_TYPE]),
    imports ?? Buffer.alloc(0),
    functions ?? section(3, [1, 0]),
    section(5, [1, 0, 1]),
    more ?? Buffer.alloc(0),
    section(7, [1, ...text("_start"), 0, 0]),
    start ?? Buffer.alloc(0),
    code,
  ]);
}

function createCode(body: Uint8Array | readonly number[], locals: readonly number[] = [0]): Buffer {
  return section(10, [1, ...leb(locals.length + body.length + 1)], locals, body, [0x0b]);
}

const NOTHING = createModule({ code: createCode([]) });

async function runModule(
  t: TestContext,
  bytes: Uint8Array,
  flags: readonly string[] = [],
): Promise<Finished> {
  const path = join(await makeFolder(t), "app.wasm");
  writeFileSync(path, bytes);
  return donjonRun([path, ...flags]);
}

/** Donjon's own sentence, and what the guest or V8 has to do with it stays out. */
function assertRefused({ code, stdout, stderr }: Finished, message: RegExp): void {
  assert.equal(code, 126, stderr);
  assert.equal(stdout, "");
  assert.match(stderr, message);
  assert.match(stderr, /^donjon: [^\n]+\n( {2}hint: [^\n]+\n)?$/, "one sentence, no stack trace");
}

test("the smallest module runs, so what follows is refused for its own reason", async (t) => {
  assert.deepEqual(await runModule(t, NOTHING), { code: 0, stdout: "", stderr: "" });
});

test("a real module that is cut is refused, wherever it is cut", async (t) => {
  const whole = readFileSync(join(import.meta.dirname, "../../examples/hello/hello.wasm"));
  for (let tenth = 1; tenth < 10; tenth++) {
    const cut = whole.subarray(0, Math.floor((whole.length * tenth) / 10));
    assertRefused(await runModule(t, cut), /not a valid module/);
  }
});

const WRONG: readonly (readonly [what: string, bytes: Uint8Array, message: RegExp])[] = [
  ["an empty file", Buffer.alloc(0), /not WebAssembly/],
  ["a text", Buffer.from("#!/bin/sh\necho no\n"), /not WebAssembly.*begins with '23 21 2f 62'/],
  ["a header alone", Uint8Array.from(HEADER), /exports neither '_start'/],
  ["half a header", Uint8Array.from(HEADER.slice(0, 6)), /version|not a valid/],
  ["version 2", Uint8Array.from([...HEADER.slice(0, 4), 2, 0, 0, 0]), /version '02000000'/],
  ["a component", Uint8Array.from([...HEADER.slice(0, 4), 0x0d, 0, 1, 0]), /is a component/],
  [
    "a section longer than the file",
    Uint8Array.from([...HEADER, 1, 0xff, 0xff, 0xff, 0x7f]),
    /not a valid module/,
  ],
  [
    "a length without end",
    Uint8Array.from([...HEADER, 1, ...Array(20).fill(0x80)]),
    /not a valid module/,
  ],
  [
    "2^32-1 imports",
    Buffer.concat([Uint8Array.from(HEADER), section(2, leb(2 ** 32 - 1))]),
    /4294967295 entries/,
  ],
  [
    "sections in the wrong order",
    Buffer.concat([NOTHING, section(1, [1, ...EMPTY_TYPE])]),
    /not a valid module/,
  ],
  [
    "code that does not type-check",
    createModule({ code: createCode([0x6a]) }),
    /not a valid module/,
  ],
  [
    "an import that nobody has",
    createModule({
      imports: section(2, [1, ...text("env"), ...text("system"), 0, 0]),
      code: createCode([]),
    }),
    /imports what a Keep does not provide: 'env' 'system' \(function\)/,
  ],
  [
    "an import named as a property of every object",
    createModule({
      imports: section(2, [1, ...text("wasi_snapshot_preview1"), ...text("constructor"), 0, 0]),
      code: createCode([]),
    }),
    /does not provide: 'wasi_snapshot_preview1' 'constructor'/,
  ],
];

for (const [what, bytes, message] of WRONG) {
  test(`${what} is refused`, async (t) => {
    assertRefused(await runModule(t, bytes), message);
  });
}

test("more memory at the start than the limit is refused", async (t) => {
  const bytes = createModule({ code: createCode([]) });
  // The memory section is the only `05 03`: one memory, no maximum, one page.
  const at = bytes.indexOf(Uint8Array.of(5, 3, 1, 0, 1));
  const large = Buffer.concat([
    bytes.subarray(0, at),
    section(5, [1, 0, ...leb(1024)]),
    bytes.subarray(at + 5),
  ]);
  assertRefused(
    await runModule(t, large, ["--memory", "1MiB"]),
    /needs 67108864 bytes.*limit is 1048576/,
  );
});

test("a start function that traps is a trap", async (t) => {
  const ended = await runModule(
    t,
    createModule({ start: section(8, [0]), code: createCode([0x00]) }),
  );
  assert.equal(ended.code, 134, ended.stderr);
  assert.match(ended.stderr, /^donjon: the workload trapped: unreachable/);
});

test("a million functions run, and one more is refused", async (t) => {
  for (const count of [1_000_000, 1_000_001]) {
    const bodies = Buffer.alloc(count * 3);
    for (let i = 0; i < bodies.length; i += 3) bodies.set([2, 0, 0x0b], i);
    const ended = await runModule(
      t,
      createModule({
        functions: section(3, leb(count), Buffer.alloc(count)),
        code: section(10, leb(count), bodies),
      }),
    );
    if (count === 1_000_000) assert.deepEqual([ended.code, ended.stderr], [0, ""]);
    else assertRefused(ended, /not a valid module/);
  }
});

test("200 MB of custom section are carried and not looked at", async (t) => {
  const junk = randomFillSync(Buffer.alloc(200 * MIB));
  const ended = await runModule(t, Buffer.concat([NOTHING, section(0, text("junk"), junk)]));
  assert.deepEqual([ended.code, ended.stderr], [0, ""]);
});

test("200 MB that are no module are refused by their first bytes", async (t) => {
  assertRefused(await runModule(t, randomFillSync(Buffer.alloc(200 * MIB))), /not WebAssembly/);
});

test("a file that is larger than a workload may be is refused without being read", async (t) => {
  const path = join(await makeFolder(t), "app.wasm");
  writeFileSync(path, NOTHING);
  truncateSync(path, 2 ** 40);
  assertRefused(await donjonRun([path]), /at most 512 MiB/);
});

test("a function that keeps the compiler busy does not hold up the time limit", async (t) => {
  // Values of 5,000 locals meet at 5,000 branches and loops: quadratic work for the optimizing compiler.
  const count = 5000;
  const steps = Array.from({ length: count }, (_, i) => [
    ...[0x20, 0, 0x04, 0x40, 0x20, ...leb((i * 7) % count), 0x41, 1, 0x6a],
    ...[0x21, ...leb((i * 13) % count), 0x03, 0x40, 0x20, ...leb((i * 11) % count)],
    ...[0x0d, 0, 0x0b, 0x0b],
  ]);
  const body = [0x03, 0x40, ...steps.flat(), 0x20, 1, 0x0d, 0, 0x0b];
  const code = createCode(body, [1, ...leb(count), 0x7f]);
  const began = performance.now();
  const ended = await runModule(t, createModule({ code }), ["--time", "300ms"]);
  assert.equal(ended.code, 124, ended.stderr);
  assert.ok(performance.now() - began < 4000, `${performance.now() - began} ms`);
});

test("tables that grow together stay in bounds", async (t) => {
  const count = 100;
  const grow = Array.from({ length: count }, (_, table) => [
    ...[0xd0, 0x70, 0x41, 0xfe, 0xac, 0xe2, 0x04, 0xfc, 0x0f, ...leb(table), 0x1a],
  ]);
  const tables = section(4, leb(count), Buffer.from(Array(count).fill([0x70, 0, 1]).flat()));
  const bytes = createModule({ more: Buffer.alloc(0), code: createCode(grow.flat()) });
  // Tables come before the memory.
  const at = bytes.indexOf(Uint8Array.of(5, 3, 1, 0, 1));
  const module = Buffer.concat([bytes.subarray(0, at), tables, bytes.subarray(at)]);
  const ended = await runModule(t, module, ["--json"]);
  assert.equal(ended.code, 0, ended.stderr);
  const { run } = JSON.parse(ended.stderr);
  assert.ok(run.usage.peakMemory < 300 * MIB, `${run.usage.peakMemory}`);
});

test("objects of the engine's heap without end are out of memory, told as such", async (t) => {
  // A chain of arrays that never ends, each of 1,000 references of which the first is the one before.
  const types = section(1, [2, ...EMPTY_TYPE, 0x5e, 0x63, 1, 1]);
  const head = section(6, [1, 0x63, 1, 1, 0xd0, 1, 0x0b]);
  const body = [
    ...[0x03, 0x40, 0x41, 0xe8, 0x07, 0xfb, 0x07, 1, 0x22, 0],
    ...[0x41, 0, 0x23, 0, 0xfb, 0x0e, 1, 0x20, 0, 0x24, 0, 0x0c, 0, 0x0b],
  ];
  const code = createCode(body, [1, 1, 0x63, 1]);
  const ended = await runModule(t, createModule({ types, more: head, code }));
  assert.equal(ended.code, 137, ended.stderr);
  assert.match(ended.stderr, /^donjon: the workload was ended by its memory limit/);
});
