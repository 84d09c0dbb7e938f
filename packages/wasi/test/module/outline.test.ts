import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { DonjonError } from "@donjon/core/errors";
import { parseOutline } from "@donjon/wasi/module/outline";
import { parseStructure, readBinaryKind } from "@donjon/wasi/module/structure";
import fc from "fast-check";

const EXAMPLES = join(import.meta.dirname, "../../../../examples");
const readExample = (name: string) => readFileSync(join(EXAMPLES, name, `${name}.wasm`));

test("an outline agrees with the engine's own reading of imports and exports", async () => {
  for (const name of ["hello", "http-server", "threads", "mandelbrot"]) {
    const bytes = readExample(name);
    const outline = parseOutline(bytes);
    const module = await WebAssembly.compile(bytes);
    const pick = ({ name, kind }: { name: string; kind: string }) => ({ name, kind });
    assert.deepEqual(
      outline.imports.map(({ module, name, kind }) => ({ module, name, kind })),
      WebAssembly.Module.imports(module).map(({ module, name, kind }) => ({ module, name, kind })),
    );
    assert.deepEqual(outline.exports.map(pick), WebAssembly.Module.exports(module).map(pick));
    const sections = WebAssembly.Module.customSections(module, "producers");
    assert.equal(
      outline.customSections.filter((section) => section.name === "producers").length,
      sections.length,
    );
    assert.ok(outline.functionCount > 0 && outline.codeBytes > 0);
  }
});

test("signatures, memories and the toolchain are told", () => {
  const hello = parseOutline(readExample("hello"));
  const write = hello.imports.find(({ name }) => name === "fd_write");
  assert.equal(write?.signature, "(i32, i32, i32, i32) -> i32");
  assert.equal(hello.memories.length, 1);
  assert.ok(parseOutline(readExample("threads")).memories.some(({ shared }) => shared));
});

test("the structure tells memories, tables and sizes, and no names of types", () => {
  const threads = parseStructure(readExample("threads"));
  const imported = threads.imports.filter(({ kind }) => kind === "memory");
  assert.equal(imported.length, 1);
  assert.ok(imported[0]?.memory?.shared && imported[0].memory.maximum !== null);
  assert.deepEqual(threads.memories, []);
  const hello = parseStructure(readExample("hello"));
  assert.ok(hello.tableCount === 1 && hello.memories.length === 1 && hello.dataBytes > 0);
  assert.ok(
    hello.imports.every(({ kind, typeIndex }) => (kind === "function") === (typeIndex !== null)),
  );
});

test("a number beyond 2^53 is refused", () => {
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  for (const size of [[...Array(7).fill(0xff), 0x7f], Array(10).fill(0xff)]) {
    assert.throws(() => parseStructure(Uint8Array.from([...header, 10, ...size])), {
      code: "workload/invalid",
      message: /section size is too large/,
    });
  }
});

test("a component is told by its header, and refused as a module", () => {
  const component = Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0);
  assert.equal(readBinaryKind(component), "component");
  assert.throws(() => parseOutline(component), { code: "workload/unsupported" });
});

test("text, other versions and cut modules are refused", () => {
  const bytes = readExample("hello");
  const cases = [
    Buffer.from("#!/bin/sh"),
    Buffer.alloc(0),
    bytes.subarray(0, 6),
    Buffer.from([0, 0x61, 0x73, 0x6d, 2, 0, 0, 0]),
    bytes.subarray(0, bytes.length - 1),
    bytes.subarray(0, 100),
  ];
  for (const bad of cases) assert.throws(() => parseOutline(bad), { code: "workload/invalid" });
});

test("no bytes make the parser throw anything but a DonjonError", () => {
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const section = fc
    .tuple(fc.nat({ max: 13 }), fc.uint8Array({ maxLength: 60 }))
    .map(([id, body]) => [id, body.length, ...body]);
  fc.assert(
    fc.property(fc.array(section, { maxLength: 5 }), (sections) => {
      const bytes = Uint8Array.from([...header, ...sections.flat()]);
      for (const parse of [parseStructure, parseOutline]) {
        try {
          parse(bytes);
        } catch (error) {
          assert.ok(error instanceof DonjonError, `${error}`);
        }
      }
    }),
    { numRuns: 2000 },
  );
});
