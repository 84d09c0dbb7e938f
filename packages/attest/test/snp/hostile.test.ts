import assert from "node:assert/strict";
import { test } from "node:test";
import { DonjonError } from "@donjon/core/errors";
import { FAKE_NOW, type FakeEvidence, makeEvidence, makeFakeAmd } from "@donjon/testkit/amd";
import fc from "fast-check";
import {
  AttestError,
  parseCertificateTable,
  parseReport,
  parseSnpCertificate,
  tableEndorsements,
  VerifyCache,
  verifySnp,
} from "../../src/snp.ts";
import { refusal } from "../refusal.ts";

const SIGNED_BITS = 0x2a0 * 8;
const SIGNATURE_END_BITS = (0x2a0 + 144) * 8;
const amd = await makeFakeAmd("Turin");
const good = await makeEvidence(amd, { version: 5, signer: "vcek" });
const cache = new VerifyCache();

function verify(change: Partial<FakeEvidence>) {
  const { report, certificates, crls, roots } = { ...good, ...change };
  return verifySnp(report, { certificates, crls }, { now: FAKE_NOW, roots, cache });
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const out = bytes.slice();
  out[bit >> 3]! ^= 1 << (bit & 7);
  return out;
}

test("a report with any one bit flipped is refused: all 8 x 1184 of them", async () => {
  await verify({});
  let refused = 0;
  for (let bit = 0; bit < good.report.length * 8; bit++) {
    await assert.rejects(verify({ report: flipped(good.report, bit) }), refusal());
    refused++;
  }
  assert.equal(refused, 9472);
  assert.ok(refused > SIGNED_BITS && refused > SIGNATURE_END_BITS);
});

test("a VCEK certificate with any one bit flipped is refused", async () => {
  const [der] = good.certificates;
  for (let bit = 0; bit < der!.length * 8; bit++) {
    await assert.rejects(verify({ certificates: [flipped(der!, bit)] }), refusal(), `bit ${bit}`);
  }
});

test("a CRL with any one bit flipped is refused", async () => {
  const [der] = good.crls;
  for (let bit = 0; bit < der!.length * 8; bit++) {
    await assert.rejects(verify({ crls: [flipped(der!, bit)] }), refusal(), `bit ${bit}`);
  }
});

test("every prefix of a report is refused, and every suffix after it", async () => {
  for (let length = 0; length < good.report.length; length++) {
    assert.throws(() => parseReport(good.report.subarray(0, length)), refusal("snp/length"));
  }
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 64 }), async (suffix) => {
      await assert.rejects(
        verify({ report: new Uint8Array([...good.report, ...suffix]) }),
        refusal("snp/length"),
      );
    }),
    { numRuns: 50 },
  );
});

test("every prefix of a certificate or CRL is refused", async () => {
  for (let length = 0; length < good.certificates[0]!.length; length++) {
    await assert.rejects(
      verify({ certificates: [good.certificates[0]!.subarray(0, length)] }),
      refusal("snp/certificate-malformed"),
    );
  }
  for (let length = 0; length < good.crls[0]!.length; length++) {
    await assert.rejects(
      verify({ crls: [good.crls[0]!.subarray(0, length)] }),
      refusal("snp/crl-malformed"),
    );
  }
});

test("arbitrary octets never throw anything but the error class", async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 2000 }),
    fc.uint8Array({ minLength: 1184, maxLength: 1184 }),
    fc.array(fc.tuple(fc.nat(1183), fc.nat(255)), { maxLength: 8 }).map((patches) => {
      const report = good.report.slice();
      for (const [at, value] of patches) report[at] = value;
      return report;
    }),
  );
  const certificates = fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.constant(good.certificates[0]!),
      fc.constant(amd.ask.certificate),
    ),
    { maxLength: 20 },
  );
  await fc.assert(
    fc.asyncProperty(
      bytes,
      certificates,
      fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 10 }),
      async (report, ders, crls) => {
        try {
          await verify({ report, certificates: ders, crls });
        } catch (error) {
          assert.ok(error instanceof AttestError, String(error));
        }
        for (const parse of [
          parseReport,
          parseCertificateTable,
          tableEndorsements,
          parseSnpCertificate,
        ]) {
          try {
            parse(report);
          } catch (error) {
            assert.ok(error instanceof DonjonError, String(error));
          }
        }
      },
    ),
    { numRuns: 500 },
  );
});

test("a caller that changes its octets during verification changes nothing", async () => {
  const report = good.report.slice();
  const run = verify({ report });
  report.fill(0);
  assert.equal((await run).claims.reportVersion, 5);
});

function table(
  entries: readonly (readonly [guid: string, data: Uint8Array])[],
  options: { end?: boolean; shift?: number } = {},
): Uint8Array {
  const head = 24 * (entries.length + (options.end === false ? 0 : 1));
  const out = new Uint8Array(head + entries.reduce((sum, [, data]) => sum + data.length, 0));
  const view = new DataView(out.buffer);
  let at = head;
  for (const [i, [guid, data]] of entries.entries()) {
    out.set(Buffer.from(guid.replaceAll("-", ""), "hex"), 24 * i);
    view.setUint32(24 * i + 16, at + (options.shift ?? 0), true);
    view.setUint32(24 * i + 20, data.length, true);
    out.set(data, at);
    at += data.length;
  }
  return out;
}

test("the certificate table of a host gives the endorsements that verify its report", async () => {
  const bytes = table([
    ["63da758d-e664-4564-adc5-f4b93be8accd", good.certificates[0]!],
    ["4ab7b379-bbac-4fe4-a02f-05aef327c782", amd.ask.certificate],
    ["c0b406a4-a803-4952-9743-3fb6014cd0ae", amd.ark.certificate],
    ["92f81bc3-5811-4d3d-97ff-d19f88dc67ea", good.crls[0]!],
    ["ecae0c0f-9502-43b1-afa2-0ae2e0d565b6", new Uint8Array(4)],
  ]);
  assert.equal(parseCertificateTable(bytes).length, 5);
  const { certificates, crls } = tableEndorsements(bytes);
  assert.equal(certificates.length, 3);
  await verify({ certificates, crls: crls! });
});

test("a certificate table that points outside itself, or does not end, is refused", () => {
  const entry = [["63da758d-e664-4564-adc5-f4b93be8accd", new Uint8Array(8)]] as const;
  for (const bytes of [
    table(entry, { shift: 1 }),
    table(entry, { shift: 0xffffff00 }),
    table(entry, { shift: -47 }),
    table(entry, { end: false }),
    new Uint8Array(0),
    new Uint8Array(23),
    new Uint8Array(2 << 20),
  ]) {
    assert.throws(() => parseCertificateTable(bytes), refusal("snp/certificate-table"));
  }
});
