/** Self-signed X.509 certificates over P-256 keys (RFC 5280, section 4.1). The key's holder signs. */
import {
  asciiBytes,
  encodeBitString,
  encodeBoolean,
  encodeDer,
  encodeInteger,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeTime,
  encodeUtf8String,
} from "./der-encode.ts";

export interface SelfSignedOptions {
  readonly commonName: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  /** 16 random octets; the number is made positive. */
  readonly serial: Uint8Array;
  readonly nowMs: number;
  /** ECDSA with SHA-256 over what is given, as DER. */
  readonly sign: (signed: Uint8Array) => Uint8Array;
  /** DNS names beside `localhost`. */
  readonly names?: readonly string[];
  /** A CMW in CBOR for the extension id-pe-cmw (RFC 9999, section 6.1). */
  readonly cmw?: Uint8Array;
}

const DAY_MS = 86_400_000;
const VALID_DAYS = 365;
/** Clocks of hosts are claims and may be slow. */
const EARLY_DAYS = 1;

/** A certificate for `localhost` and `names`, valid for a year. DER. */
export function createSelfSigned(options: SelfSignedOptions): Uint8Array {
  const signed = encodeTbsCertificate(options);
  return encodeSequence(signed, ECDSA_WITH_SHA256, encodeBitString(options.sign(signed)));
}

/** The CHOICE `cbor` of a CMW is an OCTET STRING. */
const ID_PE_CMW = "1.3.6.1.5.5.7.1.35";
const ECDSA_WITH_SHA256 = encodeSequence(encodeOid("1.2.840.10045.4.3.2"));

function encodeTbsCertificate(options: SelfSignedOptions): Uint8Array {
  const { spki, nowMs } = options;
  const serial = Uint8Array.from(options.serial);
  serial[0] = (serial[0]! & 0x7f) | 0x40;
  const commonName = encodeSequence(encodeOid("2.5.4.3"), encodeUtf8String(options.commonName));
  const name = encodeSequence(encodeDer(0x31, commonName));
  return encodeSequence(
    encodeDer(0xa0, encodeInteger(Uint8Array.of(2))),
    encodeInteger(serial),
    ECDSA_WITH_SHA256,
    name,
    encodeSequence(
      encodeTime(new Date(nowMs - EARLY_DAYS * DAY_MS)),
      encodeTime(new Date(nowMs + VALID_DAYS * DAY_MS)),
    ),
    name,
    spki,
    encodeDer(0xa3, encodeSequence(...EXTENSIONS, ...encodeOwnExtensions(options))),
  );
}

function encodeExtension(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  const flag = critical ? [encodeBoolean(true)] : [];
  return encodeSequence(encodeOid(oid), ...flag, encodeOctetString(value));
}

const EXTENSIONS = [
  // basicConstraints: not a CA
  encodeExtension("2.5.29.19", true, encodeSequence()),
  // keyUsage: digitalSignature
  encodeExtension("2.5.29.15", true, encodeBitString(Uint8Array.of(0x80), 7)),
  // extKeyUsage: serverAuth, clientAuth
  encodeExtension(
    "2.5.29.37",
    false,
    encodeSequence(encodeOid("1.3.6.1.5.5.7.3.1"), encodeOid("1.3.6.1.5.5.7.3.2")),
  ),
];

function encodeOwnExtensions({ names = [], cmw }: SelfSignedOptions): Uint8Array[] {
  const dnsNames = ["localhost", ...names].map((name) => encodeDer(0x82, asciiBytes(name)));
  return [
    encodeExtension("2.5.29.17", false, encodeSequence(...dnsNames)),
    ...(cmw === undefined ? [] : [encodeExtension(ID_PE_CMW, false, encodeOctetString(cmw))]),
  ];
}
