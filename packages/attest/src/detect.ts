/** What kind of evidence a file holds, by its content: `@donjon/attest/detect`. Proves nothing. */
import { attempt } from "@donjon/core/attempt";
import { decodeBase64, decodeBase64Url } from "@donjon/core/base64";
import { decodeHex } from "@donjon/core/hex";
import { AttestError } from "./attest-error.ts";
import { MAX_ENVELOPE_BYTES } from "./envelope/envelope-error.ts";
import type { EvidenceKind } from "./verified.ts";

export interface DetectedEvidence {
  readonly kind: EvidenceKind;
  readonly evidence: Uint8Array;
  /** How it was written; `raw` when it was not text. */
  readonly encoding: "raw" | "hex" | "base64" | "base64url";
}

const REPORT_BYTES = 1184;
/** The least quote: header, body, signature and its length. */
const MIN_QUOTE_BYTES = 436;
const TEE_TDX = 0x81;

/**
 * Tells a raw report, quote or Nitro document, also as hexadecimal, base64 or base64url text.
 * @throws AttestError `evidence/malformed`: `envelope/unknown`, `envelope/limit`
 */
export function detectEvidence(bytes: Uint8Array): DetectedEvidence {
  if (bytes.length > MAX_ENVELOPE_BYTES) {
    throw new AttestError(
      "evidence/malformed",
      "envelope/limit",
      `Cannot read the evidence: found ${bytes.length} octets, wanted at most ${MAX_ENVELOPE_BYTES}`,
    );
  }
  const kind = kindOf(bytes);
  if (kind !== undefined) return { kind, evidence: bytes, encoding: "raw" };
  for (const [encoding, evidence] of decodings(bytes)) {
    const inner = kindOf(evidence);
    if (inner !== undefined) return { kind: inner, evidence, encoding };
  }
  throw new AttestError(
    "evidence/malformed",
    "envelope/unknown",
    `Cannot tell the kind of evidence: found ${bytes.length} octets that are no SNP report of ${REPORT_BYTES} octets, no SGX or TDX quote and no Nitro document, wanted one of these, raw or as hexadecimal or base64`,
  );
}

/** By the first octets and the length alone; whether it is well formed is for the parsers to say. */
function kindOf(bytes: Uint8Array): EvidenceKind | undefined {
  // COSE_Sign1 of four items with a protected header of four or five octets, tagged or not.
  const cose = bytes[0] === 0xd2 ? 1 : 0;
  if (bytes[cose] === 0x84 && (bytes[cose + 1] === 0x44 || bytes[cose + 1] === 0x45))
    return "nitro";
  if (bytes.length < MIN_QUOTE_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint16(0, true);
  const keyType = view.getUint16(2, true);
  const tee = view.getUint32(4, true);
  // A report's version is followed by two octets of zero, a quote's by its key type, 2 or 3.
  if (version >= 3 && version <= 5 && (keyType === 2 || keyType === 3))
    return version > 3 && tee === TEE_TDX ? "tdx" : "sgx";
  return bytes.length === REPORT_BYTES && keyType === 0 ? "snp" : undefined;
}

function* decodings(
  bytes: Uint8Array,
): Generator<readonly ["hex" | "base64" | "base64url", Uint8Array]> {
  const text = new TextDecoder("latin1").decode(bytes).replace(/\s+/g, "");
  const readers = { hex: decodeHex, base64: decodeBase64, base64url: decodeBase64Url } as const;
  for (const encoding of ["hex", "base64", "base64url"] as const) {
    const digits = encoding === "hex" ? text.replace(/^0x/i, "") : text;
    const evidence = attempt(() => readers[encoding](digits));
    if (evidence !== undefined) yield [encoding, evidence];
  }
}
