import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { encodeDer, encodeInteger, encodeOid, encodeTime } from "@donjon/core/der-encode";
import fc from "fast-check";
import { createIdentity } from "../../src/identity/identity.ts";

test("the Keep's certificate is one that OpenSSL reads, over the Keep's own key, signed by it", () => {
  const now = Date.UTC(2026, 10, 22);
  const identity = createIdentity(now);
  const certificate = new X509Certificate(identity.certificatePem);
  assert.deepEqual(certificate.raw, Buffer.from(identity.certificateDer));
  assert.equal(certificate.subject, "CN=Donjon Keep");
  assert.equal(certificate.subjectAltName, "DNS:localhost");
  assert.equal(certificate.ca, false);
  assert.ok(certificate.verify(certificate.publicKey));
  assert.ok(certificate.checkPrivateKey(createPrivateKey(identity.keyPem)));
  assert.deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
  assert.equal(certificate.validFromDate.getTime(), now - 86_400_000);
  assert.equal(certificate.validToDate.getTime(), now + 365 * 86_400_000);
  assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, "prime256v1");
});

test("two Keeps have different keys and serial numbers", () => {
  const [a, b] = [createIdentity(0), createIdentity(0)].map(
    ({ certificateDer }) => new X509Certificate(certificateDer),
  );
  assert.notEqual(a!.serialNumber, b!.serialNumber);
  assert.notDeepEqual(
    a!.publicKey.export({ format: "jwk" }),
    b!.publicKey.export({ format: "jwk" }),
  );
});

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

test("lengths, integers, identifiers and times take their shortest DER form", () => {
  assert.equal(hex(encodeDer(4, new Uint8Array(127))).slice(0, 4), "047f");
  assert.equal(hex(encodeDer(4, new Uint8Array(128))).slice(0, 6), "048180");
  assert.equal(hex(encodeDer(4, new Uint8Array(256))).slice(0, 8), "04820100");
  assert.equal(hex(encodeInteger(Uint8Array.of(0, 0, 0x7f))), "02017f");
  assert.equal(hex(encodeInteger(Uint8Array.of(0x80))), "02020080");
  assert.equal(hex(encodeInteger(Uint8Array.of(0))), "020100");
  assert.equal(hex(encodeOid("1.2.840.10045.4.3.2")), "06082a8648ce3d040302");
  const time = (year: number) => Buffer.from(encodeTime(new Date(Date.UTC(year, 0, 2))));
  assert.equal(time(2049).toString("latin1"), `${String.fromCharCode(0x17, 13)}490102000000Z`);
  assert.equal(time(2050).toString("latin1"), `${String.fromCharCode(0x18, 15)}20500102000000Z`);
});

test("an INTEGER holds the value of any octets", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
      const content = encodeInteger(bytes).subarray(2);
      assert.ok(content[0]! < 0x80);
      assert.equal(BigInt(`0x${hex(content)}`), BigInt(`0x${hex(bytes)}`));
    }),
  );
});
