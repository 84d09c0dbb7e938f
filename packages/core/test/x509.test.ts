/** Certificates and CRLs, made by other code than the code under test, and damaged by hand. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseCrl } from "@donjon/core/crl";
import { DerReader } from "@donjon/core/der";
import { DonjonError } from "@donjon/core/errors";
import { decodePem } from "@donjon/core/pem";
import { type Certificate, parseCertificate } from "@donjon/core/x509";
import { readSignatureAlgorithm } from "@donjon/core/x509-fields";
import "reflect-metadata";
import {
  BasicConstraintsExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509CertificateGenerator,
  X509CrlGenerator,
} from "@peculiar/x509";
import fc from "fast-check";

const NAME = "CN=Test, O=Donjon";
const FROM = new Date("2026-01-01T00:00:00Z");
const UNTIL = new Date("2056-01-01T00:00:00Z");
const refused = (error: unknown) => error instanceof DonjonError && error.code.startsWith("bytes/");

const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
  "sign",
  "verify",
]);
const signing = {
  signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
  signingKey: keys.privateKey,
} as const;

async function makeCertificate(
  extensions: readonly Extension[] = [],
  serialNumber = "0102ff",
): Promise<Uint8Array> {
  const made = await X509CertificateGenerator.create({
    ...signing,
    serialNumber,
    subject: NAME,
    issuer: NAME,
    notBefore: FROM,
    notAfter: UNTIL,
    publicKey: keys.publicKey,
    extensions: [...extensions],
  });
  return new Uint8Array(made.rawData);
}

async function makeCrl(
  revoked: readonly string[],
  nextUpdate: Date | undefined = UNTIL,
): Promise<Uint8Array> {
  const entries = revoked.map((serialNumber) => ({ serialNumber, revocationDate: FROM }));
  const crl = await X509CrlGenerator.create({
    ...signing,
    issuer: NAME,
    thisUpdate: FROM,
    nextUpdate,
    entries,
  });
  return new Uint8Array(crl.rawData);
}

/** Replaces the one place where `from` stands; lengths stay the same. */
function replaced(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const hex = Buffer.from(bytes).toString("hex");
  assert.equal(hex.split(from).length, 2, `'${from}' must stand once`);
  assert.equal(from.length, to.length);
  return new Uint8Array(Buffer.from(hex.replace(from, to), "hex"));
}

test("parseCertificate reads names, dates, key, serial and constraints", async () => {
  const der = await makeCertificate([
    new BasicConstraintsExtension(true, 2, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    new Extension("1.2.3.4", false, Uint8Array.of(0xff, 0xee)),
  ]);
  const certificate = parseCertificate(der);
  assert.equal(certificate.subject.commonName, "Test");
  assert.deepEqual(certificate.issuer.encoding, certificate.subject.encoding);
  assert.equal(certificate.notBeforeMs, FROM.getTime());
  assert.equal(certificate.notAfterMs, UNTIL.getTime());
  assert.deepEqual([...certificate.serialNumber], [1, 2, 255]);
  assert.deepEqual(certificate.basicConstraints, { ca: true, pathLength: 2 });
  assert.deepEqual(certificate.keyUsage, {
    digitalSignature: false,
    keyCertSign: true,
    crlSign: true,
  });
  assert.deepEqual(certificate.signatureAlgorithm, { kind: "ecdsa", hash: "SHA-256" });
  assert.deepEqual([...certificate.extensions.get("1.2.3.4")!.value], [0xff, 0xee]);
  const spki = await crypto.subtle.exportKey("spki", keys.publicKey);
  assert.deepEqual(Buffer.from(certificate.publicKey.encoding), Buffer.from(spki));
  assert.equal(certificate.publicKey.kind, "p256");
});

test("parseCertificate takes serial number 0, as AMD's have", async () => {
  // The generator takes 0 for no serial number and makes one up.
  const der = replaced(await makeCertificate([], "7f"), "a00302010202017f", "a003020102020100");
  assert.deepEqual([...parseCertificate(der).serialNumber], [0]);
});

test("parseCertificate reads RSASSA-PSS", async () => {
  const rsa = {
    name: "RSA-PSS",
    modulusLength: 2048,
    publicExponent: Uint8Array.of(1, 0, 1),
    hash: "SHA-384",
  };
  const pair = await crypto.subtle.generateKey(rsa, true, ["sign", "verify"]);
  const made = await X509CertificateGenerator.createSelfSigned({
    name: NAME,
    notBefore: FROM,
    notAfter: UNTIL,
    keys: pair,
    signingAlgorithm: { name: "RSA-PSS", hash: "SHA-384", saltLength: 48 } as never,
  });
  const certificate = parseCertificate(new Uint8Array(made.rawData));
  assert.deepEqual(certificate.signatureAlgorithm, {
    kind: "rsa-pss",
    hash: "SHA-384",
    saltLength: 48,
  });
  assert.equal(certificate.publicKey.kind, "rsa");
});

const SHA384 = "300d06096086480165030402020500";
const pss = (hash: string, mask: string, rest: string, lengths: readonly [string, string]) =>
  new DerReader(
    new Uint8Array(
      Buffer.from(
        `30${lengths[0]}06092a864886f70d01010a30${lengths[1]}a00f${hash}a11c301a06092a864886f70d010108${mask}${rest}`,
        "hex",
      ),
    ),
  );

test("RSASSA-PSS parameters may spell out trailerField 1 and nothing else that is a default", () => {
  const wanted = { kind: "rsa-pss", hash: "SHA-384", saltLength: 48 };
  const read = (reader: DerReader) => readSignatureAlgorithm(reader).algorithm;
  assert.deepEqual(read(pss(SHA384, SHA384, "a203020130", ["41", "34"])), wanted);
  assert.deepEqual(read(pss(SHA384, SHA384, "a203020130a303020101", ["46", "39"])), wanted);
  assert.throws(() => read(pss(SHA384, SHA384, "a203020130a303020102", ["46", "39"])), refused);
  const sha256 = SHA384.replace("0402020500", "0402010500");
  assert.throws(
    () => read(pss(SHA384, sha256, "a203020130", ["41", "34"])),
    refused,
    "another mask hash",
  );
});

test("parseCertificate refuses what is not quite a certificate", async () => {
  const der = await makeCertificate([
    new Extension("1.2.3.4", false, Uint8Array.of(1)),
    new Extension("1.2.3.5", false, Uint8Array.of(2)),
  ]);
  const cases: Record<string, Uint8Array> = {
    "an octet after it": Uint8Array.of(...der, 0),
    "version 2": replaced(der, "a003020102", "a003020101"),
    "an extension twice": replaced(der, "06032a0305", "06032a0304"),
    "a negative serial number": replaced(der, "02030102ff", "0203ff02ff"),
    "a compressed point": replaced(der, "03420004", "03420002"),
    "a signature that is no whole number of bytes": withUnusedBits(der),
  };
  for (const [name, bytes] of Object.entries(cases)) {
    assert.throws(() => parseCertificate(bytes), refused, name);
  }
  assert.throws(() => parseCertificate(new Uint8Array(70_000)), refused);
});

/** The outer signature's BIT STRING claims one unused bit. */
function withUnusedBits(der: Uint8Array): Uint8Array {
  const { signature } = parseCertificate(der);
  const copy = new Uint8Array(der);
  copy[signature.byteOffset - der.byteOffset - 1] = 1;
  return copy;
}

test("parseCertificate refuses a signature algorithm that differs outside", async () => {
  const der = await makeCertificate();
  const hex = Buffer.from(der).toString("hex");
  const at = hex.lastIndexOf("2a8648ce3d040302");
  const changed = `${hex.slice(0, at)}2a8648ce3d040303${hex.slice(at + 16)}`;
  assert.throws(() => parseCertificate(new Uint8Array(Buffer.from(changed, "hex"))), refused);
});

test("parseCrl reads issuer, dates and revoked serial numbers", async () => {
  const crl = parseCrl(await makeCrl(["020001", "0b"]));
  assert.equal(crl.issuer.commonName, "Test");
  assert.equal(crl.thisUpdateMs, FROM.getTime());
  assert.equal(crl.nextUpdateMs, UNTIL.getTime());
  assert.deepEqual([...crl.revoked], ["020001", "0b"]);
  assert.equal(parseCrl(await makeCrl([])).revoked.size, 0);
});

test("parseCrl refuses an octet after it and every prefix", async () => {
  const der = await makeCrl(["020001"]);
  assert.throws(() => parseCrl(Uint8Array.of(...der, 0)), refused);
  for (let length = 0; length < der.length; length += 1) {
    assert.throws(() => parseCrl(der.subarray(0, length)), refused);
  }
});

test("parseCertificate and parseCrl throw nothing but DonjonError on damaged bytes", async () => {
  const inputs = [
    await makeCertificate([new BasicConstraintsExtension(true)]),
    await makeCrl(["01", "02"]),
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...inputs),
      fc.nat(2000),
      fc.uint8Array({ minLength: 1, maxLength: 6 }),
      (der, at, octets) => {
        const bytes = new Uint8Array(der);
        bytes.set(octets, Math.min(at, der.length - octets.length));
        for (const parse of [parseCertificate, parseCrl]) {
          try {
            parse(bytes);
          } catch (error) {
            assert.ok(error instanceof DonjonError, String(error));
          }
        }
      },
    ),
    { numRuns: 2000 },
  );
});

const VECTORS =
  process.env["DONJON_VECTORS"] ?? join(import.meta.dirname, "../../../../shared/vectors");
const PEM = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\r\n]+-----END CERTIFICATE-----/g;

test("real certificates read as Node's own reader has them", {
  skip: !existsSync(VECTORS) && `no vectors at ${VECTORS}`,
}, () => {
  let count = 0;
  for (const name of readdirSync(VECTORS, { recursive: true, encoding: "utf8" })) {
    const path = join(VECTORS, name);
    if (statSync(path).isDirectory() || name.includes("tampered")) continue;
    for (const block of readFileSync(path, "latin1").replaceAll("\\n", "\n").match(PEM) ?? []) {
      const der = decodePem(block, "CERTIFICATE")[0]!;
      const ours = parseCertificate(der);
      const other = new X509Certificate(der);
      // Node looks for PEM inside DER first, and finds the chain of the quote in RA-TLS certificates.
      if (!other.raw.equals(der)) continue;
      requireSame(ours, other);
      count += 1;
    }
  }
  assert.ok(count > 120, `${count} certificates`);
});

function requireSame(ours: Certificate, other: X509Certificate): void {
  const serial = Buffer.from(ours.serialNumber).toString("hex").toUpperCase();
  assert.equal(serial.replace(/^0+(?=.)/, ""), other.serialNumber.replace(/^0+(?=.)/, ""));
  assert.equal(ours.notBeforeMs, Date.parse(other.validFrom));
  assert.equal(ours.notAfterMs, Date.parse(other.validTo));
  assert.equal(ours.basicConstraints?.ca ?? false, other.ca);
  const { commonName } = ours.subject;
  if (commonName !== undefined)
    assert.ok(other.subject.includes(`CN=${commonName}`), other.subject);
}
