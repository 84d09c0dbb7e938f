import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type TestContext, test } from "node:test";
import { MAX_PLATFORM_EVIDENCE_BYTES } from "@donjon/protocol/limits";
import { openTsm } from "../../src/attest/tsm.ts";
import { type ModelOptions, modelConfigfs } from "./configfs.ts";

function open(context: TestContext, options: Partial<ModelOptions> = {}) {
  const model = modelConfigfs(context, { provider: "sev_guest", ...options });
  const attester = openTsm(model.directory);
  return { model, attest: (data = randomBytes(64)) => attester!.attest(data), attester };
}

test("a report is asked for in a directory of its own, which is gone afterwards", async (context) => {
  const { model, attest, attester } = open(context, { auxiliary: Buffer.from("table") });
  const data = randomBytes(64);
  assert.deepEqual(await attest(data), {
    tee: "snp",
    evidence: new Uint8Array(Buffer.concat([Buffer.from("report of "), data])),
    auxiliary: new Uint8Array(Buffer.from("table")),
  });
  await attest();
  assert.equal(new Set(model.made).size, 2);
  assert.equal(model.entries.size, 0);
  assert.equal(attester!.hardware, true);
});

test("a TDX quote comes without auxiliary data", async (context) => {
  const { attest } = open(context, { provider: "tdx_guest" });
  const { tee, auxiliary } = await attest();
  assert.deepEqual({ tee, auxiliary: auxiliary.length }, { tee: "tdx", auxiliary: 0 });
});

for (const code of ["EBUSY", "EAGAIN", "EINTR"]) {
  test(`a report is asked for again after ${code}, and every try cleans up`, async (context) => {
    const { model, attest } = open(context, { failures: [code, code] });
    assert.equal((await attest()).tee, "snp");
    assert.equal(model.made.length, 3);
    assert.equal(model.entries.size, 0);
  });
}

test("a device that is busy for good is given up after a number of tries", async (context) => {
  const { model, attest } = open(context, { failures: Array(100).fill("EBUSY") });
  await assert.rejects(attest(), { code: "keep/state", message: /EBUSY/ });
  assert.equal(model.made.length, 10);
  assert.equal(model.entries.size, 0);
});

test("an error that will not pass is told at once", async (context) => {
  const { model, attest } = open(context, { failures: ["EIO"] });
  await assert.rejects(attest(), { code: "keep/state", message: /EIO/ });
  assert.equal(model.made.length, 1);
});

test("a report over what somebody else wrote meanwhile is dropped and asked for again", async (context) => {
  let races = 2;
  const { model, attest } = open(context, {
    meanwhile: (entry) => {
      if (races === 0) return;
      races -= 1;
      entry.inblob = randomBytes(64);
      entry.generation += 1;
    },
  });
  const data = randomBytes(64);
  assert.deepEqual((await attest(data)).evidence.subarray(-64), new Uint8Array(data));
  assert.equal(model.made.length, 3);
});

test("report data that the kernel dropped without a word is noticed", async (context) => {
  const { attest } = open(context, { dropsWrites: true });
  await assert.rejects(attest(), { code: "keep/state" });
});

test("a report that is too large, and a device nobody knows, are refused", async (context) => {
  const large = open(context, { auxiliary: new Uint8Array(MAX_PLATFORM_EVIDENCE_BYTES + 1) });
  await assert.rejects(large.attest(), { code: "keep/state", message: /more than/ });
  context.mock.restoreAll();
  const unknown = open(context, { provider: "arm_cca_guest" });
  await assert.rejects(unknown.attest(), { code: "keep/state", message: /no known device/ });
});

test("no configfs-tsm, or none with a device, is no attester; one that cannot be used is no reason to do without", (context) => {
  for (const [mkdir, found] of [
    ["ENOENT", false],
    ["ENXIO", false],
    ["EACCES", true],
    ["EBUSY", true],
  ] as const) {
    assert.equal(open(context, { mkdir }).attester !== null, found, mkdir);
    context.mock.restoreAll();
  }
});
