/**
 * What a Keep's evidence speaks for: report data is the SHA-512 of the binding (docs/formats/binding.md). Label, lengths and
 * types are all inside, so nothing can be shifted from one field to the next.
 */
import { DonjonError } from "@donjon/core/errors";

/** Each value is 32 octets; `null` where there is none. */
export interface Binding {
  /** Chosen by who asks; `null` in a certificate, which is made before anybody asks. */
  readonly nonce: Uint8Array | null;
  /** The TLS exporter's value for this very session; `null` outside of a session. */
  readonly exporter: Uint8Array | null;
  /** SHA-256 of the SubjectPublicKeyInfo of the key that the evidence speaks for. */
  readonly key: Uint8Array;
  /** SHA-256 of the manifest's bytes as delivered. */
  readonly manifest: Uint8Array | null;
  /** SHA-256 of the workload. */
  readonly workload: Uint8Array | null;
  /** SHA-256 of the SubjectPublicKeyInfo of the owner's key. */
  readonly owner: Uint8Array | null;
}

export const BINDING_LABEL = "donjon/binding/1";
/** Media type of an encoded binding in a CMW. */
export const BINDING_TYPE = "application/vnd.donjon.binding+cbor";
/** Label of the TLS exporter (RFC 8446, section 7.5); the context is empty. */
export const EXPORTER_LABEL = "EXPORTER-donjon-session";
/** Octets of every value in a binding, of a nonce and of the exporter's value. */
export const BINDING_VALUE_BYTES = 32;

const FIELDS = ["nonce", "exporter", "key", "manifest", "workload", "owner"] as const;
/** Array of 7; text of 16 octets (RFC 8949, section 3). */
const HEAD = Uint8Array.of(0x87, 0x70, ...new TextEncoder().encode(BINDING_LABEL));
const BYTES_32 = [0x58, 0x20] as const;
const NULL = 0xf6;

/** Deterministic CBOR (RFC 8949, section 4.2.1). Throws RangeError for a value that is not 32 octets. */
export function encodeBinding(binding: Binding): Uint8Array {
  const out: number[] = [...HEAD];
  for (const field of FIELDS) {
    const value = binding[field];
    if (value === null) out.push(NULL);
    else if (value.length === BINDING_VALUE_BYTES) out.push(...BYTES_32, ...value);
    else throw new RangeError(`the binding's ${field} has ${value.length} octets, wanted 32`);
  }
  return Uint8Array.from(out);
}

/** Accepts exactly what `encodeBinding` makes; throws `evidence/malformed` for anything else. */
export function parseBinding(bytes: Uint8Array): Binding {
  let at = HEAD.length;
  if (!HEAD.every((octet, index) => bytes[index] === octet)) throw malformed("another beginning");
  const binding: Record<string, Uint8Array | null> = {};
  for (const field of FIELDS) {
    if (bytes[at] === NULL) {
      binding[field] = null;
      at += 1;
    } else if (bytes[at] === BYTES_32[0] && bytes[at + 1] === BYTES_32[1]) {
      const value = bytes.slice(at + 2, at + 2 + BINDING_VALUE_BYTES);
      if (value.length < BINDING_VALUE_BYTES) throw malformed(`a cut ${field}`);
      binding[field] = value;
      at += 2 + BINDING_VALUE_BYTES;
    } else throw malformed(`a ${field} of another type or length`);
  }
  if (at !== bytes.length) throw malformed(`${bytes.length - at} octets behind its end`);
  if (binding["key"] === null) throw malformed("no key");
  return binding as unknown as Binding;
}

function malformed(found: string): DonjonError {
  return new DonjonError(
    "evidence/malformed",
    `Cannot read the binding: found ${found}, wanted ["${BINDING_LABEL}", ${FIELDS.join(", ")}] in deterministic CBOR`,
  );
}
