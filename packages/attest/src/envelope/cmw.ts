/**
 * Conceptual Message Wrappers: evidence, endorsements and results, each with its media type.
 * Source: RFC 9999 (record, tag and collection forms, in JSON and CBOR); RFC 9277 section 4.3 for tag numbers.
 */
import { decodeBase64Url, encodeBase64Url } from "@donjon/core/base64";
import { DER_TAG, DerReader } from "@donjon/core/der";
import { DonjonError } from "@donjon/core/errors";
import type { Certificate } from "@donjon/core/x509";
import { encode, Token, Type } from "cborg";
import { decodeCbor, Tagged } from "./cbor.ts";
import { envelopeError, envelopeLimit, MAX_ENVELOPE_BYTES } from "./envelope-error.ts";

/** id-pe-cmw: the extension of certificates, CRLs and requests that holds a CMW. */
export const CMW_OID = "1.3.6.1.5.5.7.1.35";

/** Bits of `ind`: what kinds of message the value holds. */
export const CMW_INDICATOR = {
  referenceValues: 1,
  endorsements: 2,
  evidence: 4,
  attestationResults: 8,
  appraisalPolicy: 16,
} as const;

export interface CmwRecord {
  readonly kind: "record";
  /** A media type, or a CoAP content format. */
  readonly type: string | number;
  readonly value: Uint8Array;
  /** Sum of `CMW_INDICATOR` bits; absent when not stated. */
  readonly indicator?: number;
}

/** Members are not bound to each other by the collection: bind them by a nonce or digest. */
export interface CmwCollection {
  readonly kind: "collection";
  /** `__cmwc_t`: an OID or URI. */
  readonly type?: string;
  readonly members: ReadonlyMap<string | number, Cmw>;
}

export type Cmw = CmwRecord | CmwCollection;

const TYPE_LABEL = "__cmwc_t";
const MAX_MEMBERS = 64;
const MAX_DEPTH = 8;
const MAX_CONTENT_FORMAT = 65_535;
const TAG_BASE = 0x63740101;

/** @throws AttestError `evidence/malformed`: `envelope/malformed`, `envelope/limit` */
export function parseCmwJson(text: string): Cmw {
  if (text.length > 2 * MAX_ENVELOPE_BYTES) throw envelopeLimit("CMW", text.length);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw envelopeError("CMW", "text that is no JSON", "a CMW in JSON", cause);
  }
  return readCmw(value, 0, JSON_FORM);
}

/** @throws AttestError `evidence/malformed`: `envelope/malformed`, `envelope/limit` */
export function parseCmwCbor(bytes: Uint8Array): Cmw {
  return readCmw(decodeCbor(bytes, "CMW"), 0, CBOR_FORM);
}

export function encodeCmwJson(cmw: Cmw): string {
  return JSON.stringify(toJson(cmw));
}

/** Deterministic CBOR; records in the array form. */
export function encodeCmwCbor(cmw: Cmw): Uint8Array {
  return encode(toCbor(cmw));
}

/** The tag form of a record, whose type must be a content format. */
export function encodeCmwTag(record: CmwRecord): Uint8Array {
  if (typeof record.type !== "number")
    throw new TypeError("Cannot write a CMW tag: its type is no content format");
  const head = new Token(Type.tag, contentFormatTag(record.type));
  return encode(record.value, {
    typeEncoders: { Uint8Array: (value: Uint8Array) => [head, new Token(Type.bytes, value)] },
  });
}

/**
 * The CMW in a certificate's id-pe-cmw extension; undefined when there is none.
 * @throws AttestError `evidence/malformed`
 */
export function readCmwExtension(certificate: Certificate): Cmw | undefined {
  const extension = certificate.extensions.get(CMW_OID);
  if (extension === undefined) return undefined;
  try {
    const reader = new DerReader(extension.value);
    const json = reader.peekTag() === DER_TAG.utf8String;
    const { contents } = reader.read(json ? DER_TAG.utf8String : DER_TAG.octetString, "CMW");
    reader.end("CMW");
    return json
      ? parseCmwJson(new TextDecoder("utf-8", { fatal: true }).decode(contents))
      : parseCmwCbor(contents);
  } catch (cause) {
    if (cause instanceof DonjonError && cause.code.startsWith("evidence/")) throw cause;
    throw envelopeError(
      "the CMW extension",
      cause instanceof Error ? cause.message : "no CMW",
      "UTF8String or OCTET STRING",
      cause,
    );
  }
}

/** RFC 9277 section 4.3: tags leave out numbers whose low octet would be zero. */
export function contentFormatTag(format: number): number {
  return TAG_BASE + Math.floor(format / 255) * 256 + (format % 255);
}

function tagContentFormat(tag: number): number | undefined {
  const rest = tag - TAG_BASE;
  const format = Math.floor(rest / 256) * 255 + (rest % 256);
  return rest >= 0 && rest % 256 < 255 && format <= MAX_CONTENT_FORMAT ? format : undefined;
}

/** Where the two encodings differ. */
interface Form {
  readonly members: (value: unknown) => readonly (readonly [unknown, unknown])[] | undefined;
  readonly bytes: (value: unknown) => Uint8Array | undefined;
}

const CBOR_FORM: Form = {
  members: (value) => (value instanceof Map ? [...value] : undefined),
  bytes: (value) => (value instanceof Uint8Array ? value : undefined),
};

const JSON_FORM: Form = {
  members: (value) =>
    typeof value === "object" && value !== null ? Object.entries(value) : undefined,
  bytes: (value) => {
    if (typeof value !== "string") return undefined;
    try {
      return decodeBase64Url(value);
    } catch (cause) {
      throw envelopeError(
        "CMW",
        "a value that is no base64url",
        "base64url without padding",
        cause,
      );
    }
  },
};

function readCmw(value: unknown, depth: number, form: Form): Cmw {
  if (depth > MAX_DEPTH)
    throw envelopeError("CMW", "deeper nesting", `at most ${MAX_DEPTH} levels`);
  if (Array.isArray(value)) return readRecord(value, form);
  if (value instanceof Tagged) {
    const type = tagContentFormat(value.tag);
    if (type === undefined || !(value.value instanceof Uint8Array)) {
      throw envelopeError(
        "CMW",
        `tag ${value.tag}`,
        "the tag of a content format over a byte string",
      );
    }
    return { kind: "record", type, value: value.value };
  }
  const members = form.members(value);
  if (members === undefined)
    throw envelopeError("CMW", typeof value, "a record, a tag or a collection");
  return readCollection(members, depth, form);
}

function readRecord(record: readonly unknown[], form: Form): CmwRecord {
  const [type, content, indicator] = record;
  const value = form.bytes(content);
  const format =
    typeof type === "number" && Number.isInteger(type) && type >= 0 && type <= MAX_CONTENT_FORMAT;
  const named = typeof type === "string" && type.length > 0 && type.length <= 256;
  const known =
    indicator === undefined ||
    (Number.isInteger(indicator) && (indicator as number) > 0 && (indicator as number) < 2 ** 32);
  if (
    record.length < 2 ||
    record.length > 3 ||
    !(format || named) ||
    value === undefined ||
    !known
  ) {
    throw envelopeError(
      "CMW record",
      `${record.length} items`,
      "[type, value] or [type, value, ind]",
    );
  }
  return {
    kind: "record",
    type: type as string | number,
    value,
    ...(indicator !== undefined && { indicator: indicator as number }),
  };
}

function readCollection(
  entries: readonly (readonly [unknown, unknown])[],
  depth: number,
  form: Form,
): CmwCollection {
  const members = new Map<string | number, Cmw>();
  let type: string | undefined;
  if (entries.length > MAX_MEMBERS)
    throw envelopeError("CMW collection", `${entries.length} members`, `at most ${MAX_MEMBERS}`);
  for (const [label, value] of entries) {
    if (label === TYPE_LABEL) {
      if (typeof value !== "string")
        throw envelopeError("CMW collection", `${TYPE_LABEL} of type ${typeof value}`, "text");
      type = value;
    } else if (typeof label === "string" || Number.isInteger(label)) {
      members.set(label as string | number, readCmw(value, depth + 1, form));
    } else {
      throw envelopeError(
        "CMW collection",
        `a label of type ${typeof label}`,
        "text or an integer",
      );
    }
  }
  if (members.size === 0) throw envelopeError("CMW collection", "no member", "one at least");
  return { kind: "collection", members, ...(type !== undefined && { type }) };
}

function toJson(cmw: Cmw): unknown {
  if (cmw.kind === "record") return items(cmw, encodeBase64Url(cmw.value));
  return Object.fromEntries([
    ...typeEntry(cmw),
    ...[...cmw.members].map(([label, member]) => [String(label), toJson(member)]),
  ]);
}

function toCbor(cmw: Cmw): unknown {
  if (cmw.kind === "record") return items(cmw, cmw.value);
  return new Map<unknown, unknown>([
    ...typeEntry(cmw),
    ...[...cmw.members].map(([label, member]) => [label, toCbor(member)] as const),
  ]);
}

function items(record: CmwRecord, value: unknown): unknown[] {
  return record.indicator === undefined
    ? [record.type, value]
    : [record.type, value, record.indicator];
}

function typeEntry({ type }: CmwCollection): (readonly [string, string])[] {
  return type === undefined ? [] : [[TYPE_LABEL, type]];
}
