import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeBase64 } from "@donjon/core/base64";
import { DonjonError } from "@donjon/core/errors";
import { decodePem, looksLikePem } from "@donjon/core/pem";
import fc from "fast-check";

const block = (contents: Uint8Array, label = "CERTIFICATE") =>
  `-----BEGIN ${label}-----\n${encodeBase64(contents)}\n-----END ${label}-----\n`;
const refused = (error: unknown) => error instanceof DonjonError && error.code === "bytes/invalid";

test("decodePem gives back every block in order", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 90 }), { minLength: 1, maxLength: 5 }),
      (all) => {
        const text = all.map((one) => block(one)).join("\r\n");
        assert.deepEqual(
          decodePem(text, "CERTIFICATE").map((one) => [...one]),
          all.map((one) => [...one]),
        );
      },
    ),
  );
});

test("decodePem takes CRLF, blank lines and NUL bytes at the end", () => {
  const text = `\n${block(Uint8Array.of(1, 2, 3)).replaceAll("\n", "\r\n")}\n\0\0`;
  assert.deepEqual([...decodePem(text, "CERTIFICATE")[0]!], [1, 2, 3]);
});

for (const [name, text] of [
  ["no block", "\n\n"],
  ["another label", block(Uint8Array.of(1), "X509 CRL")],
  ["text before a block", `hello\n${block(Uint8Array.of(1))}`],
  ["text after a block", `${block(Uint8Array.of(1))}hello`],
  ["a block that does not end", "-----BEGIN CERTIFICATE-----\nAQID\n"],
  ["an end of another label", "-----BEGIN CERTIFICATE-----\nAQID\n-----END X509 CRL-----\n"],
  ["a NUL in the middle", `${block(Uint8Array.of(1))}\0${block(Uint8Array.of(1))}`],
  [
    "base64 that is not canonical",
    "-----BEGIN CERTIFICATE-----\nAR==\n-----END CERTIFICATE-----\n",
  ],
] as const) {
  test(`decodePem refuses ${name}`, () => {
    assert.throws(() => decodePem(text, "CERTIFICATE"), refused);
  });
}

test("looksLikePem tells PEM from DER", () => {
  assert.equal(looksLikePem(new TextEncoder().encode("\n-----BEGIN CERTIFICATE-----")), true);
  assert.equal(looksLikePem(Uint8Array.of(0x30, 0x82)), false);
});
