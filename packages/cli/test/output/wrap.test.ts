import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { wrapText } from "../../src/output/wrap.ts";

test("a text that fits, and one for no terminal, stays one line", () => {
  const text = "spawn at 21 ms, load at 40 ms, prepare at 59 ms";
  assert.deepEqual(wrapText(text, 80), [text]);
  assert.deepEqual(wrapText(text, undefined), [text]);
  assert.deepEqual(wrapText(text, 12), [text], "so narrow that breaking would not help");
});

test("a longer one breaks after its separator", () => {
  const text = "spawn at 21 ms, load at 40 ms, prepare at 59 ms";
  assert.deepEqual(wrapText(text, 32, ", "), [
    "spawn at 21 ms, load at 40 ms,",
    "prepare at 59 ms",
  ]);
  assert.deepEqual(wrapText("one two three four five six seven eight", 30), [
    "one two three four five six",
    "seven eight",
  ]);
});

test("no word is lost, and only words that are longer alone make a line too long", () => {
  const words = fc.array(fc.stringMatching(/^[a-z]{1,50}$/), { minLength: 1 });
  fc.assert(
    fc.property(words, fc.integer({ min: 30, max: 100 }), (list, width) => {
      const lines = wrapText(list.join(" "), width);
      assert.equal(lines.join(" "), list.join(" "));
      for (const line of lines) assert.ok(line.length <= width || !line.includes(" "));
    }),
  );
});
