/** The binding of a Keep's evidence (docs/formats/binding.md), as a proof carries it. */
import { DonjonError } from "@donjon/core/errors";
import { encodeHex } from "@donjon/core/hex";
import { type Binding, parseBinding } from "@donjon/protocol/attestation/binding";

/** Lower-case hex, or `null`. */
export type PlainBinding = Readonly<Record<keyof Binding, string | null>>;

const FIELDS = ["manifest", "workload", "owner", "key", "nonce", "exporter"] as const;

/** `null` when the octets are none: a preimage may be anything. */
export function readPlainBinding(bytes: Uint8Array): PlainBinding | null {
  try {
    const binding = parseBinding(bytes);
    const plain = FIELDS.map((name) => {
      const value = binding[name];
      return [name, value === null ? null : encodeHex(value)];
    });
    return Object.fromEntries(plain) as PlainBinding;
  } catch (error) {
    if (error instanceof DonjonError) return null;
    throw error;
  }
}

/** Rows for people: what was run, for whom, and by which key. What made it fresh tells nobody anything later. */
export function listBinding(binding: PlainBinding): [string, string][] {
  return (["manifest", "workload", "owner", "key"] as const).flatMap((name): [string, string][] => {
    const value = binding[name];
    return value === null ? [] : [[name, value]];
  });
}
