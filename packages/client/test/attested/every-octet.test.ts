import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import type { DonjonError } from "@donjon/core/errors";
import fc from "fast-check";
import { verifyStatement } from "../../src/attested/statement.ts";
import { prove, verify } from "./fake-keep.ts";

const expected = { nonce: randomBytes(32), exporter: randomBytes(32), key: randomBytes(32) };
const nothing = { manifest: null, workload: null, owner: null };

/** Type (2) and length (4) of a quote's certification data (Intel, quote format, table 9), which nothing signs either. */
const CERTIFICATION_HEADER_BYTES = 6;

/** Codes with which evidence may be refused; anything else is a defect. */
const REFUSALS = ["evidence/malformed", "evidence/refused"];

test("evidence is refused when any one bit of it is flipped", async () => {
  const cmw = await prove({ ...expected, ...nothing });
  const honest = await verifyStatement(cmw, expected, verify);
  // Certificates stand in a quote as its certification data, which nothing signs: they vouch, and are vouched for
  // themselves. What the verifier does not take from there may be anything, and must then change nothing: data of a type that
  // names the platform, for one, has the verifier take the chain from its own collateral.
  const certificates = Buffer.from(cmw).indexOf("-----BEGIN CERTIFICATE-----");
  const unsigned = certificates - CERTIFICATION_HEADER_BYTES;
  assert.ok(unsigned > 1000);
  await fc.assert(
    fc.asyncProperty(fc.nat(cmw.length - 1), fc.nat(7), async (at, bit) => {
      const flipped = Uint8Array.from(cmw);
      flipped[at]! ^= 1 << bit;
      const told = await verifyStatement(flipped, expected, verify).catch((error) => error);
      if (told instanceof Error) {
        assert.ok(REFUSALS.includes((told as DonjonError).code), `${at}.${bit}: ${told.stack}`);
        return;
      }
      assert.ok(at >= unsigned, `octet ${at}, bit ${bit} may be anything`);
      assert.deepEqual(told.appraisal.claims, honest.appraisal.claims);
      assert.deepEqual(told.appraisal.anchor, honest.appraisal.anchor);
    }),
    { numRuns: 600 },
  );
});

test("evidence is refused when it is cut or when something follows", async () => {
  const cmw = await prove({ ...expected, ...nothing });
  await fc.assert(
    fc.asyncProperty(fc.nat(cmw.length - 1), async (length) => {
      await assert.rejects(verifyStatement(cmw.slice(0, length), expected, verify));
    }),
    { numRuns: 200 },
  );
  await assert.rejects(verifyStatement(Buffer.concat([cmw, Buffer.of(0)]), expected, verify));
});
