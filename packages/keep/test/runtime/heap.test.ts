import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startGuest } from "./harness.ts";

// (module (type $link (struct (field (ref null $link)))) (memory (export "memory") 1)
//   (func (export "_start") (local (ref null $link))
//     (loop $again (local.set 0 (struct.new $link (local.get 0))) (br $again))))
// biome-ignore format: one section a line
const LINKS = Uint8Array.of(
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, // magic, version
  0x01, 0x09, 0x02, 0x5f, 0x01, 0x63, 0x00, 0x00, 0x60, 0x00, 0x00, // types
  0x03, 0x02, 0x01, 0x01, // function 0: type 1
  0x05, 0x03, 0x01, 0x00, 0x01, // memory of one page
  0x07, 0x13, 0x02, 0x06, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 0x02, 0x00, // "memory"
  0x06, 0x5f, 0x73, 0x74, 0x61, 0x72, 0x74, 0x00, 0x00, // "_start"
  0x0a, 0x13, 0x01, 0x11, 0x01, 0x01, 0x63, 0x00, // one body, one local
  0x03, 0x40, 0x20, 0x00, 0xfb, 0x00, 0x00, 0x21, 0x00, 0x0c, 0x00, 0x0b, 0x0b,
);

describe("the heap of the worker", () => {
  it("ends a workload that fills it with small objects, and nothing else", async (t) => {
    const { outcome } = await startGuest(t, { guest: LINKS, heapMb: 64 }).result;
    assert.deepEqual(outcome, { kind: "limit", limit: "memory", value: 64 << 20 });
    const after = await startGuest(t, { guest: "exit", argc: 2 }).result;
    assert.deepEqual(after.outcome, { kind: "exit", code: 2 });
  });

  it("is not filled by tables, however many and large", async (t) => {
    const { outcome } = await startGuest(t, { guest: "tables", limits: { timeMs: 3000 } }).result;
    assert.deepEqual(outcome, { kind: "limit", limit: "time", value: 3000 });
  });
});
