import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeHex } from "@donjon/core/hex";
import type { NitroReason } from "../../src/nitro/reasons.ts";
import { verifyNitro } from "../../src/nitro/verify.ts";
import { refusal } from "../refusal.ts";
import {
  readCertificates,
  readVector,
  readVectorText,
  skipVectors,
  warnSkipped,
} from "../vectors.ts";

/** dstack keeps the document in a frame of its own: variant, SCALE length, document, runtime data. */
function unframe(bytes: Uint8Array): Uint8Array {
  const length = (bytes[2]! | (bytes[3]! << 8)) >> 2;
  return bytes.subarray(4, 4 + length);
}

interface Case {
  readonly file: string;
  readonly read?: () => Uint8Array;
  readonly at: string;
  readonly accepted: boolean;
  readonly debug?: boolean;
  readonly reason?: NitroReason;
}

const DSTACK = "dstack/nitro_attestation.cose";
const BASE64 = "evervault-attestation-doc-validation/valid-attestation-doc-base64";
const DEBUG = "evervault-attestation-doc-validation/debug-mode-attestation-doc.cbor";

const CASES: readonly Case[] = [
  {
    file: DSTACK,
    read: () => unframe(readVector(DSTACK)),
    at: "2025-12-25T14:00:00Z",
    accepted: true,
    debug: false,
  },
  {
    file: BASE64,
    read: () => new Uint8Array(Buffer.from(readVectorText(BASE64).trim(), "base64")),
    at: "2023-09-18T15:30:00Z",
    accepted: true,
    debug: true,
  },
  { file: DEBUG, at: "2022-10-12T14:00:00Z", accepted: true, debug: true },
  {
    file: "rust-sgx/nitro/request_proper.bin",
    at: "2021-09-09T11:00:00Z",
    accepted: true,
    debug: true,
  },
  {
    file: "rust-sgx/nitro/request_proper.bin",
    at: "2021-09-09T14:00:00Z",
    accepted: false,
    reason: "nitro/certificate-expired",
  },
  {
    file: "rust-sgx/nitro/tampered_signature.bin",
    at: "2021-09-09T11:00:00Z",
    accepted: false,
    reason: "nitro/signature",
  },
  {
    file: "rust-sgx/nitro/tampered_certificate.bin",
    at: "2021-09-09T11:00:00Z",
    accepted: false,
    reason: "nitro/certificate-malformed",
  },
];

warnSkipped(CASES.length);

for (const one of CASES) {
  const bytes = () => one.read?.() ?? readVector(one.file);
  const verdict = one.accepted
    ? one.debug
      ? "accepts, as debug,"
      : "accepts"
    : `refuses (${one.reason})`;
  test(`verifyNitro ${verdict} ${one.file} at ${one.at}`, { skip: skipVectors }, async () => {
    const proof = verifyNitro(bytes(), { now: new Date(one.at) });
    if (!one.accepted) return assert.rejects(proof, refusal(one.reason!));
    const { claims, anchor, checks } = await proof;
    assert.equal(claims.debug, one.debug);
    assert.equal(claims.pcrs.get(0)?.length, 48);
    assert.deepEqual(anchor, { name: "aws.nitro-enclaves", origin: "vendor" });
    assert.ok(checks.every((check) => check.ok));
  });
}

test("verifyNitro refuses the roots of rust-sgx/nitro as AWS's", {
  skip: skipVectors,
}, async () => {
  const now = new Date("2021-09-09T11:00:00Z");
  const document = readVector("rust-sgx/nitro/request_proper.bin");
  const root = async (commonName: string, path: string) => {
    const der = new Uint8Array(readCertificates(path)[0]!);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", der));
    return { commonName, certificateSha256: encodeHex(digest) };
  };
  const aws = await root("aws.nitro-enclaves", "rust-sgx/nitro/aws.crt");
  assert.equal((await verifyNitro(document, { now, roots: [aws] })).anchor.origin, "caller");
  const unknown = await root("unknown", "rust-sgx/nitro/unknown_ca.crt");
  await assert.rejects(verifyNitro(document, { now, roots: [unknown] }), refusal("nitro/root"));
});
