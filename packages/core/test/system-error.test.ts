import assert from "node:assert/strict";
import { test } from "node:test";
import { explainSystemError } from "../src/system-error.ts";

test("an error of the system is told without its code, its call and its path", () => {
  for (const [message, wanted] of [
    ["ENOENT: no such file or directory, open 'a, b'", "no such file or directory"],
    ["ENOSPC: no space left on device, write", "no space left on device"],
    [
      "EXDEV: cross-device link not permitted, rename 'a' -> 'b'",
      "cross-device link not permitted",
    ],
    ["the file, as it is, will not do", "the file, as it is, will not do"],
  ] as const) {
    assert.equal(explainSystemError(new Error(message)), wanted);
  }
});
