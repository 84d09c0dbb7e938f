import assert from "node:assert/strict";
import { test } from "node:test";
import type { ByteSink } from "../../src/runtime/workload.ts";
import { InputPump } from "../../src/session/pump.ts";

test("what comes for stdin after its end, from a later session, never reaches the workload", () => {
  let room = 2;
  const got: number[] = [];
  let ends = 0;
  const sink: ByteSink = {
    write(bytes) {
      const count = Math.min(room, bytes.length);
      got.push(...bytes.subarray(0, count));
      room -= count;
      return count;
    },
    end: () => {
      ends += 1;
    },
    onWritable: null,
  };
  const pump = new InputPump(sink);
  pump.add(Buffer.from("first"));
  pump.end();
  const granted: number[] = [];
  pump.grant = (bytes) => granted.push(bytes);
  pump.add(Buffer.from("second"));
  room = 100;
  sink.onWritable!();
  pump.add(Buffer.from("third"));
  assert.equal(Buffer.from(got).toString(), "first");
  assert.equal(ends, 1);
  assert.deepEqual(granted, ["second".length, "third".length]);
});
