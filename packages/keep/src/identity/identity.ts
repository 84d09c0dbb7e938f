/** The Keep's key pair and its self-made certificate (DESIGN, section 5). The key never leaves the Keep. */
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import {
  encodeBitString,
  encodeBoolean,
  encodeDer,
  encodeInteger,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeTime,
  encodeUtf8String,
} from "./der.ts";

export interface KeepIdentity {
  readonly keyPem: string;
  readonly certificatePem: string;
  readonly certificateDer: Uint8Array;
}

const DAY_MS = 86_400_000;
const VALID_DAYS = 365;
/** The host's clock is a claim and may be slow. */
const EARLY_DAYS = 1;

/** A fresh P-256 key and a certificate for `localhost` over it, valid for a year. */
export function createIdentity(nowMs: number): KeepIdentity {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = publicKey.export({ type: "spki", format: "der" });
  const signed = encodeTbsCertificate(spki, nowMs);
  const signature = sign("sha256", signed, privateKey);
  const certificateDer = encodeSequence(signed, ECDSA_WITH_SHA256, encodeBitString(signature));
  return {
    keyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    certificatePem: encodePem(certificateDer),
    certificateDer,
  };
}

const ECDSA_WITH_SHA256 = encodeSequence(encodeOid("1.2.840.10045.4.3.2"));
const NAME = encodeSequence(
  encodeDer(0x31, encodeSequence(encodeOid("2.5.4.3"), encodeUtf8String("Donjon Keep"))),
);

/** RFC 5280, section 4.1. */
function encodeTbsCertificate(spki: Uint8Array, nowMs: number): Uint8Array {
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x7f) | 0x40;
  return encodeSequence(
    encodeDer(0xa0, encodeInteger(Uint8Array.of(2))),
    encodeInteger(serial),
    ECDSA_WITH_SHA256,
    NAME,
    encodeSequence(
      encodeTime(new Date(nowMs - EARLY_DAYS * DAY_MS)),
      encodeTime(new Date(nowMs + VALID_DAYS * DAY_MS)),
    ),
    NAME,
    spki,
    encodeDer(0xa3, encodeSequence(...EXTENSIONS)),
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
  // subjectAltName: dNSName localhost
  encodeExtension(
    "2.5.29.17",
    false,
    encodeSequence(encodeDer(0x82, new TextEncoder().encode("localhost"))),
  ),
];

function encodePem(der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString("base64")
    .match(/.{1,64}/g)!;
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
