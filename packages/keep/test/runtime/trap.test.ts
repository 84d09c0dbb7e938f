import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { demangle, describeTrap, MAX_FRAMES, parseFrames } from "../../src/runtime/trap.ts";

describe("parseFrames", () => {
  it("reads names, module and offset, innermost first", () => {
    const stack = [
      "RuntimeError: unreachable",
      "    at app.inner (wasm://wasm/app-0123abcd:wasm-function[12]:0x3f2)",
      "    at wasm://wasm/0123abcd:wasm-function[7]:0x10",
      "    at runEntry (file:///somewhere/run-module.ts:1:1)",
    ].join("\n");
    assert.deepEqual(parseFrames(stack), [
      { function: "inner", module: "app", offset: 0x3f2 },
      { function: "function 7", module: "", offset: 0x10 },
    ]);
  });

  it("keeps at most its limit of frames, and short names", () => {
    const line = `    at ${"n".repeat(5000)} (wasm://wasm/0123abcd:wasm-function[7]:0x10)`;
    const frames = parseFrames(Array(1000).fill(line).join("\n"));
    assert.equal(frames.length, MAX_FRAMES);
    assert.ok(frames.every((frame) => frame.function.length === 512));
  });

  it("answers no frames for anything else", () => {
    fc.assert(fc.property(fc.string(), (text) => assert.deepEqual(parseFrames(text), [])));
    assert.deepEqual(parseFrames(undefined), []);
  });
});

describe("demangle", () => {
  const cases = [
    ["_ZN4core9panicking5panic17h0123456789abcdefE", "core::panicking::panic"],
    [
      "_ZN3std2rt10lang_start28_$u7b$$u7b$closure$u7d$$u7d$17h0123456789abcdefE",
      "std::rt::lang_start::{{closure}}",
    ],
    ["_ZN5shape4areaEv", "shape::area"],
    ["_ZNK5shape4areaEv", "shape::area"],
    ["main", "main"],
    ["_ZN99tooE", "_ZN99tooE"],
    ["_ZN", "_ZN"],
  ] as const;
  for (const [name, plain] of cases) {
    it(`turns '${name}' into '${plain}'`, () => assert.equal(demangle(name), plain));
  }

  it("never fails on any name", () => {
    fc.assert(
      fc.property(fc.string(), (text) => assert.equal(typeof demangle(`_ZN${text}`), "string")),
    );
  });
});

describe("describeTrap", () => {
  it("passes on what it does not know", () => {
    assert.equal(
      describeTrap(new WebAssembly.RuntimeError("new kind of trap")),
      "new kind of trap",
    );
    assert.equal(describeTrap("thrown"), "uncaught exception");
  });
});
