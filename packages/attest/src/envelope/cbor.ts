import { type DecodeOptions, decode } from "cborg";
import { envelopeError, envelopeLimit, MAX_ENVELOPE_BYTES } from "./envelope-error.ts";

/** A tagged value, kept as it stands. */
export class Tagged {
  readonly tag: number;
  readonly value: unknown;

  constructor(tag: number, value: unknown) {
    this.tag = tag;
    this.value = value;
  }
}

/** Every tag is kept: which may stand where is for the reader of the envelope to say. */
const KEEP_TAGS = new Proxy({} as NonNullable<DecodeOptions["tags"]>, {
  get: (_, tag) => (content: () => unknown) => new Tagged(Number(tag), content()),
}) as NonNullable<DecodeOptions["tags"]>;

/**
 * Strict CBOR (RFC 8949): shortest lengths, definite sizes, no duplicate key, nothing after. Maps become `Map`.
 * @throws AttestError `evidence/malformed`: `envelope/malformed`, `envelope/limit`
 */
export function decodeCbor(bytes: Uint8Array, what: string): unknown {
  if (bytes.length > MAX_ENVELOPE_BYTES) throw envelopeLimit(what, bytes.length);
  try {
    return decode(bytes, {
      strict: true,
      allowIndefinite: false,
      allowUndefined: false,
      rejectDuplicateMapKeys: true,
      useMaps: true,
      tags: KEEP_TAGS,
    });
  } catch (cause) {
    // cborg throws plain errors; nesting without end shows as RangeError.
    throw envelopeError(
      what,
      cause instanceof Error ? cause.message : String(cause),
      "strict CBOR",
      cause,
    );
  }
}
