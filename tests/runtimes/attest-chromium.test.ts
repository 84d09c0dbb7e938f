/** The verifier's suite, vectors and properties included, in headless Chromium. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createAttestPage, listTests, NOT_IN_A_PAGE } from "./attest-page.ts";
import type { Results } from "./browser/test.ts";
import { runInChromium, skipChromium } from "./chromium.ts";

const TIMEOUT_MS = 170_000;

if (skipChromium) console.error(`SKIPPED THE BROWSER: ${skipChromium}`);

test("every test of the verifier passes in headless Chromium", { skip: skipChromium }, async () => {
  const page = await createAttestPage();
  let last = "none";
  const results = (await runInChromium((path) => page.get(path), {
    timeoutMs: TIMEOUT_MS,
    onProgress: (name) => {
      last = name;
    },
  }).catch((cause: unknown) => {
    throw new Error(`last test started: ${last}`, { cause });
  })) as Results;
  assert.deepEqual(results.failed, []);
  assert.equal(results.files, listTests().length);
  assert.ok(results.passed > 200, `${results.passed} passed`);
  const left = Object.entries(NOT_IN_A_PAGE).map(([name, why]) => `${name}: ${why}`);
  console.log(
    `Chromium: ${results.passed} tests of ${results.files} files passed, ${results.skipped.length} skipped; not in a page: ${left.join("; ")}`,
  );
  for (const line of results.skipped) console.error(`SKIPPED in Chromium: ${line}`);
});
