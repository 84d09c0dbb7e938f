/** Evidence with any one bit changed on its way from the Keep: for somebody who could change it, which TLS prevents. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { AttestError } from "@donjon/attest/errors";
import { type ExpectedBinding, verifyStatement } from "@donjon/client/attested/statement";
import { encodeBinding } from "@donjon/protocol/attestation/binding";
import { encodeEvidence } from "@donjon/protocol/attestation/evidence";
import fc from "fast-check";
import { flipBit } from "./support/faults.ts";
import { startHost } from "./support/hostile-host.ts";
import { createSetting } from "./support/setting.ts";

const setting = await createSetting();
const host = startHost({ answer: () => {} });
after(() => host[Symbol.asyncDispose]());
const verify = await setting.createVerifier(host.keep);
const expected: ExpectedBinding = {
  nonce: randomBytes(32),
  exporter: randomBytes(32),
  key: randomBytes(32),
};
const binding = encodeBinding({ ...expected, manifest: null, workload: null, owner: null });
const { evidence, auxiliary } = await setting.processor.createEvidence(
  await host.keep.measure(),
  createHash("sha512").update(binding).digest(),
);
const cmw = encodeEvidence(binding, { tee: "sgx", evidence, auxiliary });

/** The end of what signatures cover: header, enclave report, signature, key, QE report and its signature (Intel's DCAP). */
const SIGNED_BYTES = 48 + 384 + 4 + 64 + 64 + 384 + 64 + 2 + 32 + 2 + 4;

async function isRefused(bytes: Uint8Array): Promise<boolean> {
  try {
    await verifyStatement(bytes, expected, verify);
    return false;
  } catch (error) {
    assert.ok(error instanceof AttestError, String(error));
    return true;
  }
}

test("the evidence is accepted as it is", async () => {
  assert.equal(await isRefused(cmw), false);
});

test("with any one octet changed, up to the certificates, it is refused", async () => {
  const until = cmw.length - evidence.length + SIGNED_BYTES;
  for (let at = 0; at < until; at++) {
    assert.ok(await isRefused(flipBit(cmw, at, at % 8)), `accepted with octet ${at} changed`);
  }
});

test("with any bit of its certificates changed, it is refused, or its certificates read the same", async () => {
  const from = cmw.length - evidence.length + SIGNED_BYTES;
  const place = fc.record({ at: fc.integer({ min: from, max: cmw.length - 1 }), bit: fc.nat(7) });
  await fc.assert(
    fc.asyncProperty(place, async ({ at, bit }) => {
      const changed = flipBit(cmw, at, bit);
      if (await isRefused(changed)) return;
      assert.equal(readBase64(changed.subarray(from)), readBase64(cmw.subarray(from)));
    }),
    { numRuns: 200 },
  );
});

test("cut anywhere, or with anything behind it, it is refused", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(cmw.length - 1),
      fc.uint8Array({ minLength: 1, maxLength: 9 }),
      async (end, more) => {
        assert.ok(await isRefused(cmw.subarray(0, end)));
        assert.ok(await isRefused(Buffer.concat([cmw, more])));
      },
    ),
    { numRuns: 50 },
  );
});

/** What PEM carries, without its line ends and the zero that may stand behind all. */
function readBase64(pem: Uint8Array): string {
  return Buffer.from(pem)
    .toString("latin1")
    .replace(/[\s\0]/g, "");
}
