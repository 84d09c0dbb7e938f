/** Quotes that come in certificates and certification requests: real ones, end to end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCrl } from "@donjon/core/crl";
import { parseCertificate } from "@donjon/core/x509";
import { parseEvidenceRequest, verifyRequestBinding } from "../../src/envelope/evidence-request.ts";
import { readQuoteExtension, verifyQuoteBinding } from "../../src/envelope/quote-certificate.ts";
import { readRaTlsExtension, verifyRaTlsBinding } from "../../src/envelope/ra-tls.ts";
import { parsePcsAnswers } from "../../src/intel/collateral.ts";
import { verifySgx } from "../../src/sgx/verify.ts";
import { refusal } from "../refusal.ts";
import { readCertificates, readVector, skipVectors, warnSkipped } from "../vectors.ts";

const SIGNATURES = ["missing-crl", "missing-tcb-info", "missing-qe-identity"] as const;
const now = new Date("2024-06-01T00:00:00Z");
const changed = (bytes: Uint8Array) =>
  bytes.map((octet, index) => (index === 0 ? octet ^ 1 : octet));

warnSkipped(5);

for (const file of ["gramine-cert.pem", "intel-sgxsdk-cert.pem"]) {
  const path = `interoperable-ra-tls/${file}`;
  test(`${path}: its quote is genuine and speaks for its key`, { skip: skipVectors }, async () => {
    const certificate = parseCertificate(readCertificates(path)[0]!);
    const envelope = readRaTlsExtension(certificate)!;
    assert.equal(envelope.form, "quote");
    const { claims } = await verifySgx(envelope.evidence, {}, { now, allow: SIGNATURES });
    await verifyRaTlsBinding(envelope, certificate, claims.enclave.reportData);
    const other = verifyRaTlsBinding(envelope, certificate, changed(claims.enclave.reportData));
    await assert.rejects(other, refusal("envelope/binding"));
  });

  test(`${path}: the bare quote of its older extension is genuine`, {
    skip: skipVectors,
  }, async () => {
    const certificate = parseCertificate(readCertificates(path)[0]!);
    const { claims } = await verifySgx(
      readQuoteExtension(certificate)!,
      {},
      { now, allow: SIGNATURES },
    );
    const binding = verifyQuoteBinding(certificate, claims.enclave.reportData);
    // Only Gramine makes a second quote for its older extension; Intel's SDK repeats the first, which binds claims.
    if (file === "gramine-cert.pem") await binding;
    else await assert.rejects(binding, refusal("envelope/binding"));
    const other = verifyQuoteBinding(certificate, changed(claims.enclave.reportData));
    await assert.rejects(other, refusal("envelope/binding"));
  });
}

test("a PCK certificate's SGX extensions are not taken for a quote", { skip: skipVectors }, () => {
  const certificate = parseCertificate(readCertificates("enarx-sgx/multi_pck.crt")[0]!);
  assert.equal(readQuoteExtension(certificate), undefined);
});

test("steward/icelake.multi.xeon.csr.der verifies with what it staples", {
  skip: skipVectors,
}, async () => {
  const request = parseEvidenceRequest(readVector("steward/icelake.multi.xeon.csr.der"));
  const { stapled } = request;
  assert.ok(stapled.kind === "sgx");
  const crl = (name: string) =>
    stapled.crls.find((der) => parseCrl(der).issuer.commonName === name)!;
  const collateral = {
    ...parsePcsAnswers({ tcbInfo: new TextDecoder().decode(stapled.tcbInfo) }),
    tcbInfoIssuerChain: stapled.tcbInfoIssuerChain,
    rootCrl: crl("Intel SGX Root CA"),
    pckCrl: crl("Intel SGX PCK Platform CA"),
  };
  // No QE identity is stapled; everything else is, and holds at this time.
  const options = {
    now: new Date("2023-02-01T00:00:00Z"),
    allow: ["missing-qe-identity"],
  } as const;
  const { claims } = await verifySgx(stapled.quote, collateral, options);
  assert.equal(Buffer.from(claims.platform.fmspc).toString("hex"), "00606a000000");
  assert.ok(claims.tcb !== undefined);
  await verifyRequestBinding(request, claims.enclave.reportData);
  await assert.rejects(
    verifyRequestBinding(request, new Uint8Array(64)),
    refusal("envelope/binding"),
  );
  const forged = { ...request, signed: { ...request.signed, tbs: changed(request.signed.tbs) } };
  await assert.rejects(
    verifyRequestBinding(forged, claims.enclave.reportData),
    refusal("envelope/binding"),
  );
});

test("parseEvidenceRequest refuses every prefix of a request", { skip: skipVectors }, () => {
  const bytes = readVector("steward/icelake.multi.xeon.csr.der");
  for (let length = 0; length < bytes.length; length += 97) {
    assert.throws(
      () => parseEvidenceRequest(bytes.subarray(0, length)),
      refusal("envelope/malformed"),
    );
  }
});
