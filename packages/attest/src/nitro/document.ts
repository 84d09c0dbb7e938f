/**
 * Is it a well-formed Nitro attestation document? COSE_Sign1 over a CBOR map, of Nitro Enclaves or of NitroTPM.
 *
 * Sources: https://github.com/aws/aws-nitro-enclaves-nsm-api/blob/main/docs/attestation_process.md, section 3;
 * RFC 9052 section 4.2.
 */

import { concatBytes } from "@donjon/core/bytes";
import { decode } from "cborg";
import { AttestError } from "../attest-error.ts";

/** Largest document in octets; enclaves write at most 16,384. */
export const MAX_DOCUMENT_BYTES = 65_536;
/** Limits of the specification, in octets; user data and nonce have one since it was raised, the key another. */
const MAX_FIELD_BYTES = 8192;
const MAX_CERTIFICATES = 16;
const MAX_PCRS = 32;
const PCR_LENGTHS: readonly number[] = [32, 48, 64];

/** CBOR tag 18 in one octet: COSE_Sign1 may come tagged, and in practice does not. */
const COSE_SIGN1_TAG = 0xd2;
const ALG = 1;
const ES384 = -35;

export interface NitroDocument {
  /** `tpm` for NitroTPM of EC2 instances: the same envelope, registers under `nitrotpm_pcrs`. */
  readonly source: "enclave" | "tpm";
  readonly moduleId: string;
  readonly timestampMs: number;
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
  /** DER; the key that signed. */
  readonly certificate: Uint8Array;
  /** DER, root first. */
  readonly cabundle: readonly Uint8Array[];
  readonly publicKey: Uint8Array | undefined;
  readonly userData: Uint8Array | undefined;
  readonly nonce: Uint8Array | undefined;
  /** What the signature is over: COSE's Sig_structure. */
  readonly signed: Uint8Array;
  /** r and s, 48 octets each. */
  readonly signature: Uint8Array;
}

/**
 * Reads a document; octets after it are refused. Says nothing about who made it.
 * @throws AttestError `evidence/malformed`, reason `nitro/limit`, `nitro/malformed` or `nitro/algorithm`
 */
export function parseNitroDocument(bytes: Uint8Array): NitroDocument {
  if (bytes.length > MAX_DOCUMENT_BYTES) {
    throw malformed("nitro/limit", `${bytes.length} octets`, `at most ${MAX_DOCUMENT_BYTES}`);
  }
  const untagged = bytes[0] === COSE_SIGN1_TAG ? bytes.subarray(1) : bytes;
  const message = decodeCbor(untagged, "COSE_Sign1");
  if (!Array.isArray(message) || message.length !== 4) {
    throw malformed("nitro/malformed", "no array of 4", "COSE_Sign1");
  }
  const [protectedHeader, unprotected, payload, signature] = message as unknown[];
  const header = octets(protectedHeader, "the protected header", 64);
  requireHeader(header, unprotected);
  const signedPayload = octets(payload, "the payload", MAX_DOCUMENT_BYTES);
  const raw = octets(signature, "the signature", 96);
  if (raw.length !== 96)
    throw malformed("nitro/malformed", `a signature of ${raw.length} octets`, "96");
  return {
    ...readPayload(decodeCbor(signedPayload, "the payload", true)),
    signed: sigStructure(header, signedPayload),
    signature: raw,
  };
}

/** `["Signature1", protected, h'', payload]` (RFC 9052 section 4.4), the one thing here that is written, not read. */
function sigStructure(header: Uint8Array, payload: Uint8Array): Uint8Array {
  const context = Uint8Array.from("\x84\x6aSignature1", (letter) => letter.charCodeAt(0));
  return concatBytes(context, byteString(header), new Uint8Array([0x40]), byteString(payload));
}

/** A CBOR byte string with its shortest head; both limits above keep it under 65536 octets. */
function byteString(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  const head =
    length < 24
      ? [0x40 | length]
      : length < 256
        ? [0x58, length]
        : [0x59, length >> 8, length & 255];
  return concatBytes(new Uint8Array(head), bytes);
}

function requireHeader(header: Uint8Array, unprotected: unknown): void {
  const map = decodeCbor(header, "the protected header");
  if (!(map instanceof Map) || map.size !== 1 || map.get(ALG) !== ES384) {
    throw malformed("nitro/algorithm", "another protected header", "{1: -35}, ES384");
  }
  if (!(unprotected instanceof Map) || unprotected.size !== 0) {
    throw malformed("nitro/malformed", "unprotected header parameters", "none");
  }
}

type Payload = Omit<NitroDocument, "signed" | "signature">;

function readPayload(map: unknown): Payload {
  if (!(map instanceof Map))
    throw malformed("nitro/malformed", "a payload that is no map", "a map");
  const tpm = map.has("nitrotpm_pcrs");
  if (tpm && map.has("pcrs"))
    throw malformed("nitro/malformed", "pcrs and nitrotpm_pcrs", "one of them");
  const digest = map.get("digest");
  if (digest !== "SHA384") throw malformed("nitro/malformed", "another digest", "SHA384");
  const moduleId = map.get("module_id");
  if (typeof moduleId !== "string" || moduleId === "" || moduleId.length > 256) {
    throw malformed("nitro/malformed", "no module_id", "a name");
  }
  const timestampMs = map.get("timestamp");
  if (typeof timestampMs !== "number" || !Number.isSafeInteger(timestampMs) || timestampMs <= 0) {
    throw malformed("nitro/malformed", "no timestamp", "milliseconds since 1970");
  }
  const cabundle = map.get("cabundle");
  if (!Array.isArray(cabundle) || cabundle.length === 0 || cabundle.length > MAX_CERTIFICATES) {
    throw malformed("nitro/malformed", "no cabundle", `1 to ${MAX_CERTIFICATES} certificates`);
  }
  const optional = (name: string) =>
    map.get(name) == null ? undefined : octets(map.get(name), name, MAX_FIELD_BYTES);
  return {
    source: tpm ? "tpm" : "enclave",
    moduleId,
    timestampMs,
    pcrs: readPcrs(map.get(tpm ? "nitrotpm_pcrs" : "pcrs")),
    certificate: octets(map.get("certificate"), "certificate", MAX_FIELD_BYTES),
    cabundle: cabundle.map((one) => octets(one, "cabundle", MAX_FIELD_BYTES)),
    publicKey: optional("public_key"),
    userData: optional("user_data"),
    nonce: optional("nonce"),
  };
}

function readPcrs(map: unknown): ReadonlyMap<number, Uint8Array> {
  if (!(map instanceof Map) || map.size === 0 || map.size > MAX_PCRS) {
    throw malformed("nitro/malformed", "no PCRs", `1 to ${MAX_PCRS} registers`);
  }
  const pcrs = new Map<number, Uint8Array>();
  for (const [index, value] of map) {
    const register = octets(value, "a PCR", 64);
    const known = Number.isInteger(index) && index >= 0 && index < MAX_PCRS;
    if (!known || !PCR_LENGTHS.includes(register.length)) {
      throw malformed(
        "nitro/malformed",
        "a PCR of another index or length",
        "index 0 to 31 and 32, 48 or 64 octets",
      );
    }
    pcrs.set(index as number, register);
  }
  return pcrs;
}

function octets(value: unknown, what: string, maxBytes: number): Uint8Array {
  if (value instanceof Uint8Array && value.length <= maxBytes) return value;
  throw malformed(
    "nitro/malformed",
    `${what} that is no byte string`,
    `at most ${maxBytes} octets`,
  );
}

/** @param allowIndefinite the hypervisor writes payload maps without a length; nothing else needs that */
function decodeCbor(bytes: Uint8Array, what: string, allowIndefinite = false): unknown {
  const options = {
    useMaps: true,
    strict: true,
    allowUndefined: false,
    rejectDuplicateMapKeys: true,
  };
  try {
    return decode(bytes, { ...options, allowIndefinite });
  } catch (cause) {
    throw new AttestError(
      "evidence/malformed",
      "nitro/malformed",
      `Cannot read this document: ${what} is no strict CBOR`,
      { cause },
    );
  }
}

function malformed(
  reason: "nitro/limit" | "nitro/malformed" | "nitro/algorithm",
  found: string,
  wanted: string,
): AttestError {
  return new AttestError(
    "evidence/malformed",
    reason,
    `Cannot read this document: found ${found}, wanted ${wanted}`,
  );
}
