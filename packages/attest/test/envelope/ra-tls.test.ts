import assert from "node:assert/strict";
import { test } from "node:test";
import { decodePem } from "@donjon/core/pem";
import { parseCertificate } from "@donjon/core/x509";
import { readRaTlsExtension, verifyRaTlsBinding } from "../../src/envelope.ts";
import { refusal } from "../refusal.ts";
import { readCertificates, readVectorText, skipVectors, warnSkipped } from "../vectors.ts";

const FILES = [
  "interoperable-ra-tls/gramine-cert.pem",
  "interoperable-ra-tls/intel-sgxsdk-cert.pem",
];
warnSkipped(FILES.length);

/** REPORTDATA of a version 3 quote: header of 48 octets, then at 320 of the report. */
function reportDataOf(quote: Uint8Array): Uint8Array {
  return quote.slice(48 + 320, 48 + 384);
}

for (const file of FILES) {
  test(`${file}: the quote speaks for the certificate's key`, { skip: skipVectors }, async () => {
    const certificate = parseCertificate(readCertificates(file)[0]!);
    const envelope = readRaTlsExtension(certificate)!;
    assert.equal(envelope.form, "quote");
    assert.equal(envelope.keyHash.algorithm, "SHA-256");
    await verifyRaTlsBinding(envelope, certificate, reportDataOf(envelope.evidence));
  });
}

test("a certificate with another's extension is refused, and so is other report data", {
  skip: skipVectors,
}, async () => {
  const [one, other] = FILES.map((file) =>
    parseCertificate(decodePem(readVectorText(file), "CERTIFICATE")[0]!),
  );
  const envelope = readRaTlsExtension(one!)!;
  const reportData = reportDataOf(envelope.evidence);
  await assert.rejects(
    verifyRaTlsBinding(envelope, other!, reportData),
    refusal("envelope/binding"),
  );
  reportData[63]! ^= 1;
  await assert.rejects(verifyRaTlsBinding(envelope, one!, reportData), refusal("envelope/binding"));
});

test("extensions that are no RA-TLS envelope are refused", { skip: skipVectors }, () => {
  const certificate = parseCertificate(readCertificates(FILES[0]!)[0]!);
  for (const value of [
    [],
    [0x01],
    [0xd9, 0xea, 0x60, 0x80],
    [0xd9, 0xea, 0x60, 0x82, 0x40, 0x40],
    [0xd9, 0xea, 0x5f, 0x82, 0x40, 0x41, 0xa0],
  ]) {
    const extensions = new Map([
      ["2.23.133.5.4.9", { critical: false, value: new Uint8Array(value) }],
    ]);
    assert.throws(
      () => readRaTlsExtension({ ...certificate, extensions }),
      refusal("envelope/malformed"),
    );
  }
  assert.equal(readRaTlsExtension({ ...certificate, extensions: new Map() }), undefined);
});
