/** The trust of a simulated machine as text: round trips, and everything that is not one is refused. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { DonjonError } from "@donjon/core/errors";
import { openSecurityProcessor, type SecurityProcessor } from "@donjon/simtee/security-processor";
import fc from "fast-check";
import {
  encodeTrust,
  endorse,
  fingerprintRoots,
  MAX_TRUST_CHARACTERS,
  parseTrust,
  rootsOf,
  type SimulatedTrust,
} from "../src/simulated-trust.ts";
import { verifyEvidence } from "../src/verify.ts";
import { refusal } from "./refusal.ts";

const directory = mkdtempSync(join(tmpdir(), "donjon-trust-"));
after(() => rmSync(directory, { recursive: true, force: true }));
let processor: SecurityProcessor;
let trust: SimulatedTrust;
let text: string;
before(async () => {
  processor = await openSecurityProcessor(directory);
  trust = processor.trust;
  text = encodeTrust(trust);
});

const unreadable =
  (words = "") =>
  (error: unknown) => {
    assert.ok(error instanceof DonjonError, `wanted a DonjonError, found ${error}`);
    assert.match(error.code, /^bytes\//);
    assert.match(error.message, /^Cannot read the trust of a simulated security processor: /);
    assert.ok(error.message.includes(words), error.message);
    return true;
  };

type JsonNode = { [name: string]: unknown };

/** The trust with one member set, or taken out when `value` is undefined, as text. */
function changed(path: readonly string[], value: unknown): string {
  const copy: JsonNode = JSON.parse(text);
  const parent = path.slice(0, -1).reduce((node, name) => node[name] as JsonNode, copy);
  parent[path.at(-1)!] = value;
  return JSON.stringify(copy);
}

test("parseTrust reads what encodeTrust wrote, in any layout", () => {
  assert.deepEqual(parseTrust(text), trust);
  assert.deepEqual(parseTrust(JSON.stringify(JSON.parse(text), null, 2)), trust);
  assert.equal(encodeTrust(parseTrust(text)), text);
  assert.ok(text.length < MAX_TRUST_CHARACTERS / 8);
});

test("parseTrust refuses a trust without one of its members, or with one more, wherever it is", () => {
  let count = 0;
  const walk = (path: readonly string[], value: unknown): void => {
    if (value === null || typeof value !== "object" || Array.isArray(value)) return;
    assert.throws(() => parseTrust(changed([...path, "other"], 1)), unreadable("other"));
    for (const [name, inner] of Object.entries(value)) {
      const member = [...path, name];
      assert.throws(() => parseTrust(changed(member, undefined)), unreadable(name));
      assert.throws(() => parseTrust(changed(member, 7)), unreadable(name));
      count += 1;
      walk(member, inner);
    }
  };
  walk([], JSON.parse(text));
  assert.equal(count, 34);
});

const AUTHORITY_NAME = "amd ark commonName";
const REFUSED: readonly (readonly [what: string, words: string, path: string, value: unknown])[] = [
  ["of another format", "donjon/simulated-trust/1", "format", "donjon/simulated-trust/2"],
  ["with another fingerprint", "fingerprint", "fingerprint", "0".repeat(64)],
  ["with another root key", "fingerprint", "amd ark spki", "AAAA"],
  ["of an unknown product", "Rome", "amd product", "Rome"],
  ["of a root under AMD's name", "SIMULATED", AUTHORITY_NAME, "ARK-Genoa"],
  ["of a root under Intel's name", "SIMULATED", "intel root commonName", "Intel SGX Root CA"],
  ["of a long name", "SIMULATED", AUTHORITY_NAME, `SIMULATED ${"x".repeat(200)}`],
  ["with a serial number that is none", "hexadecimal", "amd ark serialNumber", "0A"],
  ["with a day that is none", "validUntil", "validUntil", "2026-02-30T00:00:00Z"],
  ["without certificates", "certificates", "amd certificates", []],
  ["with nine certificates", "certificates", "amd certificates", Array(9).fill("AAAA")],
  ["with five lists", "crls", "amd crls", Array(5).fill("AAAA")],
  ["with base64 that is none", "base64", "intel rootCrl", "AAA"],
  ["with a certificate that is a number", "certificates", "amd certificates", [1]],
];

for (const [what, words, path, value] of REFUSED) {
  test(`parseTrust refuses a trust ${what}`, () => {
    assert.throws(() => parseTrust(changed(path.split(" "), value)), unreadable(words));
  });
}

test("parseTrust refuses texts that are too long, no JSON, or no object", () => {
  assert.throws(() => parseTrust(text.padEnd(MAX_TRUST_CHARACTERS + 1)), unreadable("at most"));
  for (const bad of [
    "",
    "null",
    "[]",
    "{}",
    text.slice(0, -3),
    `${text}{}`,
    '{"format":1,"format":1}',
  ])
    assert.throws(() => parseTrust(bad), unreadable());
});

test("a trust with any one character changed is refused, or reads as one of the same roots", () => {
  const change = fc.tuple(fc.nat(text.length - 1), fc.constantFrom(...'A0f"{}[]:, \n/'));
  fc.assert(
    fc.property(change, ([at, character]) => {
      try {
        const read = parseTrust(`${text.slice(0, at)}${character}${text.slice(at + 1)}`);
        assert.equal(read.fingerprint, fingerprintRoots(read.amd.ark.spki, read.intel.root.spki));
        assert.equal(read.fingerprint, trust.fingerprint);
      } catch (error) {
        unreadable()(error);
      }
    }),
    { numRuns: 1000 },
  );
});

test("a fingerprint tells which key is whose", () => {
  assert.notEqual(fingerprintRoots("AA", "BB"), fingerprintRoots("BB", "AA"));
  assert.notEqual(fingerprintRoots("AAAA", "BB"), fingerprintRoots("AA", "AABB"));
});

test("endorse takes the trust's endorsements for a report whose table is absent, empty or only padding", async () => {
  const launch = { tee: "snp", measurement: new Uint8Array(48) } as const;
  const { kind, evidence, auxiliary } = await processor.createEvidence(launch, new Uint8Array(64));
  for (const table of [auxiliary, new Uint8Array(), new Uint8Array(24), new Uint8Array(4096)]) {
    const set = endorse(parseTrust(text), kind, evidence, table);
    assert.equal(set.certificates?.length, 3);
    const { anchor } = await verifyEvidence(set, { now: new Date(), roots: rootsOf(trust) });
    assert.equal(anchor.origin, "caller");
  }
  assert.throws(
    () => endorse(trust, kind, evidence, auxiliary.subarray(0, 50)),
    refusal("snp/certificate-table"),
  );
});

test("rootsOf names both vendors' roots as the caller's and no other vendor", () => {
  const { amd, intel, nitro } = rootsOf(trust);
  assert.deepEqual(
    amd?.map(({ origin, ark }) => [origin, ark]),
    [["caller", trust.amd.ark]],
  );
  assert.deepEqual(intel, [trust.intel.root]);
  assert.equal(nitro, undefined);
});
