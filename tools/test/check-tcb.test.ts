import assert from "node:assert/strict";
import { test } from "node:test";
import { countLines } from "../check-tcb.ts";

test("countLines counts code and neither comments nor blank lines", () => {
  assert.equal(countLines("/** a\n * b\n */\nconst a = 1;\n\n  // c\nconst b = 2; // d\n"), 2);
  assert.equal(countLines(""), 0);
});
