import assert from "node:assert/strict";
import { test } from "node:test";
import {
  formatDuration,
  formatSize,
  parseDuration,
  parseSize,
} from "@donjon/protocol/manifest/units";
import fc from "fast-check";

test("sizes and durations read as people write them", () => {
  assert.equal(parseSize("512 MiB"), 512 * 2 ** 20);
  assert.equal(parseSize("1.5GB"), 1_500_000_000);
  assert.equal(parseSize("0 B"), 0);
  assert.equal(parseDuration("30 s"), 30_000);
  assert.equal(parseDuration("250ms"), 250);
  for (const text of ["", "5", "5 mib", "-1 B", "1e3 B", " 1 B", "999999999999999 TiB", "1 B\n"]) {
    assert.equal(parseSize(text), null, text);
  }
  assert.equal(parseDuration("5 m"), null);
});

test("a formatted amount reads back as the same amount", () => {
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 40 }), (amount) => {
      assert.equal(parseSize(formatSize(amount)), amount);
      assert.equal(parseDuration(formatDuration(amount)), amount);
    }),
  );
});
