import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { detectEvidence } from "../src/detect.ts";
import { refusal } from "./refusal.ts";
import { readIndex, readVector, skipVectors, warnSkipped } from "./vectors.ts";

const FILES: readonly (readonly [file: string, kind: string, encoding: string])[] = [
  ["go-sev-guest/attestation.bin", "snp", "raw"],
  ["tee-attestation-verification/turin_attestation_report.bin", "snp", "raw"],
  ["virtee-sev/report_milan.hex", "snp", "hex"],
  ["lunal-attestation-rs/tdx/tdx_quote_4.dat", "tdx", "raw"],
  ["lunal-attestation-rs/tdx/tdx_quote_5.dat", "tdx", "raw"],
  ["teekit/tdx-v4-azure", "tdx", "base64"],
  ["teekit/sgx-tlsn-quote9.dat", "sgx", "raw"],
  ["evervault-attestation-doc-validation/debug-mode-attestation-doc.cbor", "nitro", "raw"],
  ["evervault-attestation-doc-validation/valid-attestation-doc-base64", "nitro", "base64"],
];
warnSkipped(FILES.length);

for (const [file, kind, encoding] of FILES) {
  test(`${file} is ${kind} evidence, ${encoding}`, { skip: skipVectors }, () => {
    const found = detectEvidence(readVector(file));
    assert.equal(found.kind, kind);
    assert.equal(found.encoding, encoding);
  });
}

test("certificates, CRLs and JSON are no evidence", { skip: skipVectors }, () => {
  const others = readIndex().filter(
    ({ file }) => /\.(pem|der|crl|json)$/.test(file) && !/quote|evidence|report/.test(file),
  );
  assert.ok(others.length > 30);
  for (const { repo, file } of others) {
    assert.throws(
      () => detectEvidence(readVector(`${repo}/${file}`)),
      refusal("envelope/unknown"),
      `${repo}/${file}`,
    );
  }
});

test("text in any case, with line ends, is read; arbitrary octets are told or refused", () => {
  const report = new Uint8Array(1184);
  report[0] = 2;
  const hex = Buffer.from(report)
    .toString("hex")
    .toUpperCase()
    .replace(/(.{64})/g, "$1\r\n");
  assert.deepEqual(detectEvidence(new TextEncoder().encode(`0x${hex}`)), {
    kind: "snp",
    evidence: report,
    encoding: "hex",
  });
  const base64 = Buffer.from(report).toString("base64");
  assert.deepEqual(detectEvidence(new TextEncoder().encode(base64)), {
    kind: "snp",
    evidence: report,
    encoding: "base64",
  });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1300 }), (bytes) => {
      try {
        detectEvidence(bytes);
      } catch (error) {
        assert.ok(refusal("envelope/unknown")(error));
      }
    }),
  );
  assert.throws(() => detectEvidence(new Uint8Array(5 << 20)), refusal("envelope/limit"));
});
