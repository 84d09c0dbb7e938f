import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openGramine } from "../../src/attest/gramine.ts";

/** Gramine's files as they are while nobody writes; `quote` is what a processor would make of them. */
function createDirectory(context: TestContext, type: string): string {
  const folder = mkdtempSync(join(tmpdir(), "donjon-gramine-"));
  context.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "attestation_type"), type);
  writeFileSync(join(folder, "user_report_data"), new Uint8Array(64));
  return folder;
}

test("a quote is read after the report data was written", async (context) => {
  const folder = createDirectory(context, "dcap");
  const { readFileSync, symlinkSync } = await import("node:fs");
  // The model's quote is the report data itself.
  symlinkSync(join(folder, "user_report_data"), join(folder, "quote"));
  const data = randomBytes(64);
  const attester = openGramine(folder);
  assert.equal(attester!.hardware, true);
  const { tee, evidence } = await attester!.attest(data);
  assert.equal(tee, "sgx");
  assert.deepEqual(evidence, new Uint8Array(data));
  assert.deepEqual(readFileSync(join(folder, "user_report_data")), data);
});

test("no Gramine, and a Gramine without quotes, is no attester", (context) => {
  assert.equal(openGramine("/nowhere/attestation"), null);
  assert.equal(openGramine(createDirectory(context, "none\n")), null);
  assert.equal(openGramine(createDirectory(context, "epid")), null);
});

test("a quote that cannot be made is told", async (context) => {
  const folder = createDirectory(context, "dcap\n");
  await assert.rejects(openGramine(folder)!.attest(randomBytes(64)), {
    code: "keep/state",
    message: /quoting service/,
  });
});
