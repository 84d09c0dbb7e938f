/** What a hostile host can do to quotes and collateral: change bits, cut, append, send anything. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { DonjonError } from "@donjon/core/errors";
import {
  type FakeIntel,
  INTEL_NOW,
  type IntelEvidence,
  makeFakeIntel,
  makeIntelEvidence,
} from "@donjon/testkit/intel";
import fc from "fast-check";
import { AttestError } from "../../src/attest-error.ts";
import { parseEvidenceRequest } from "../../src/envelope/evidence-request.ts";
import {
  type IntelCollateral,
  parsePcsAnswers,
  parseQuoteCollateralV3,
} from "../../src/intel/collateral.ts";
import { parseEnclaveIdentity } from "../../src/intel/enclave-identity.ts";
import { parseQuote } from "../../src/intel/quote.ts";
import { parseStrictJson } from "../../src/intel/strict-json.ts";
import { parseTcbInfo } from "../../src/intel/tcb-info.ts";
import { verifySgx } from "../../src/sgx/verify.ts";
import { verifyTdx } from "../../src/tdx/verify.ts";
import { VerifyCache } from "../../src/verify-cache.ts";
import { refusal } from "../refusal.ts";
import { haveVectors, readVector, warnSkipped } from "../vectors.ts";
import { quoteCollateral } from "./collateral.ts";

interface Subject {
  readonly name: string;
  readonly quote: Uint8Array;
  readonly collateral: IntelCollateral;
  readonly verify: (
    quote: Uint8Array,
    collateral: IntelCollateral,
  ) => Promise<{ readonly claims: { readonly trailingBytes: number } }>;
}

let subjects: readonly Subject[] = [];

before(async () => {
  const intel: FakeIntel = await makeFakeIntel();
  const made = await Promise.all([
    makeIntelEvidence(intel, { version: 3, body: "sgx", chain: "der" }),
    makeIntelEvidence(intel, { version: 5, body: "td-1.5-ex", chain: "der" }),
  ]);
  subjects = [fake("made-up SGX", made[0]), fake("made-up TDX", made[1]), ...realSubjects()];
});

function fake(name: string, { quote, collateral, roots }: IntelEvidence): Subject {
  const options = { now: INTEL_NOW, roots, cache: new VerifyCache() };
  const verify = name.endsWith("SGX") ? verifySgx : verifyTdx;
  return { name, quote, collateral, verify: (bytes, given) => verify(bytes, given, options) };
}

function realSubjects(): readonly Subject[] {
  if (!haveVectors) return [];
  const options = { now: new Date("2025-07-01T00:00:00Z"), cache: new VerifyCache() };
  return (["sgx", "tdx"] as const).map((tee) => ({
    name: `dcap-qvl/${tee}_quote`,
    quote: readVector(`dcap-qvl/${tee}_quote`),
    collateral: quoteCollateral(`dcap-qvl/${tee}_quote_collateral.json`),
    verify: (bytes, given) => (tee === "sgx" ? verifySgx : verifyTdx)(bytes, given, options),
  }));
}

warnSkipped(2);

/** The parts of a quote that some signature covers, as ranges. PEM armour is none of them. */
function signedRanges(quote: Uint8Array): readonly (readonly [from: number, to: number])[] {
  const parsed = parseQuote(quote);
  const range = (part: Uint8Array) =>
    [part.byteOffset - quote.byteOffset, part.byteOffset - quote.byteOffset + part.length] as const;
  const parts = [
    parsed.signed,
    parsed.signature,
    parsed.attestationKey,
    parsed.qeReportBytes,
    parsed.qeReportSignature,
    parsed.qeAuthenticationData,
  ];
  const der = parsed.certification.data[0] === 0x30 ? [parsed.certification.data] : [];
  return [...parts, ...der].map(range);
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}

test("any bit changed in a signed part of a quote is refused", async (t) => {
  for (const { name, quote, collateral, verify } of subjects) {
    const ranges = signedRanges(quote);
    const covered = ranges.reduce((sum, [from, to]) => sum + to - from, 0);
    await t.test(`${name}: ${8 * covered} bits`, async () => {
      await verify(quote, collateral);
      const pick = fc.oneof(
        ...ranges.map(([from, to]) => fc.integer({ min: 8 * from, max: 8 * to - 1 })),
      );
      await fc.assert(
        fc.asyncProperty(pick, async (bit) => {
          await assert.rejects(verify(flipped(quote, bit), collateral), refusal());
        }),
        { numRuns: 400 },
      );
    });
  }
});

test("any bit changed anywhere in a quote is refused or changes no claim", async (t) => {
  for (const { name, quote, collateral, verify } of subjects) {
    await t.test(name, async () => {
      const good = (await verify(quote, collateral)).claims;
      const end = quote.length - good.trailingBytes;
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 0, max: 8 * end - 1 }), async (bit) => {
          const claims = await verify(flipped(quote, bit), collateral).then(
            (proof) => proof.claims,
            (error) => void assert.ok(error instanceof AttestError, String(error)),
          );
          if (claims !== undefined) assert.deepEqual(claims, good);
        }),
        { numRuns: 300 },
      );
    });
  }
});

test("any bit changed in collateral is refused", async (t) => {
  for (const { name, quote, collateral, verify } of subjects) {
    const changes = collateralChanges(collateral);
    for (const [part, size, change] of changes) {
      await t.test(`${name}, ${part}`, async () => {
        await fc.assert(
          fc.asyncProperty(fc.integer({ min: 0, max: 8 * size - 1 }), async (bit) => {
            await assert.rejects(
              verify(quote, { ...collateral, ...change(bit) }),
              (error) => error instanceof DonjonError,
            );
          }),
          { numRuns: 80 },
        );
      });
    }
  }
});

type Change = readonly [part: string, octets: number, change: (bit: number) => IntelCollateral];

function collateralChanges(collateral: IntelCollateral): readonly Change[] {
  const crls = (["rootCrl", "pckCrl"] as const).map(
    (part): Change => [
      part,
      collateral[part]!.length,
      (bit) => ({ [part]: flipped(collateral[part]!, bit) }),
    ],
  );
  const signed = (["tcbInfo", "qeIdentity"] as const).flatMap((part): Change[] => {
    const { text, signature } = collateral[part]!;
    const chain = collateral[`${part}IssuerChain`]!;
    const octets = new TextEncoder().encode(text);
    return [
      [
        part,
        octets.length,
        (bit) => ({
          [part]: { text: Buffer.from(flipped(octets, bit)).toString("latin1"), signature },
        }),
      ],
      [
        `${part} signature`,
        64,
        (bit) => ({ [part]: { text, signature: flipped(signature, bit) } }),
      ],
      [
        `${part} signer`,
        chain[0]!.length,
        (bit) => ({ [`${part}IssuerChain`]: [flipped(chain[0]!, bit), ...chain.slice(1)] }),
      ],
    ];
  });
  return [...crls, ...signed];
}

test("every prefix of a quote is refused, and what follows one is counted", async () => {
  for (const { quote, collateral, verify } of subjects) {
    const { trailingBytes } = (await verify(quote, collateral)).claims;
    const end = quote.length - trailingBytes;
    for (let length = 0; length < end; length += 1) {
      assert.throws(() => parseQuote(quote.subarray(0, length)), refusal());
    }
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (suffix) => {
        const padded = new Uint8Array([...quote.subarray(0, end), ...suffix]);
        assert.equal((await verify(padded, collateral)).claims.trailingBytes, suffix.length);
      }),
      { numRuns: 20 },
    );
  }
});

const READERS: readonly (readonly [name: string, read: (bytes: Uint8Array) => unknown])[] = [
  ["parseQuote", parseQuote],
  ["parseEvidenceRequest", parseEvidenceRequest],
  ["parseTcbInfo", (bytes) => parseTcbInfo(text(bytes))],
  ["parseEnclaveIdentity", (bytes) => parseEnclaveIdentity(text(bytes))],
  ["parseStrictJson", (bytes) => parseStrictJson(text(bytes))],
  ["parseQuoteCollateralV3", (bytes) => parseQuoteCollateralV3(text(bytes))],
  [
    "parsePcsAnswers",
    (bytes) => parsePcsAnswers({ rootCrl: bytes, tcbInfo: text(bytes), pckChain: text(bytes) }),
  ],
];

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

for (const [name, read] of READERS) {
  test(`${name} throws nothing but DonjonError on arbitrary bytes`, () => {
    const json = fc.json().map((value) => new Uint8Array(Buffer.from(value)));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 700 }), json), (bytes) => {
        try {
          read(bytes);
        } catch (error) {
          assert.ok(error instanceof DonjonError, String(error));
        }
      }),
      { numRuns: 1000 },
    );
  });
}

/** Milliseconds that one call may take on the machine that runs the tests, however large its input. */
const MAX_CALL_MS = 2000;

test("inputs made to be slow are refused in bounded time", () => {
  const size = 1_048_576;
  const hostile = [
    "[".repeat(size),
    `{"a":${"[".repeat(size)}`,
    `{"a":"${"\\u0041".repeat(100_000)}`,
    `{${'"a":{'.repeat(100_000)}`,
    `{"a":${"9".repeat(size)}}`,
    " ".repeat(size),
    `"${"\\".repeat(size - 1)}`,
    `-----BEGIN CERTIFICATE-----\n${"A\n".repeat(400_000)}`,
    "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n".repeat(10_000),
    "\x30\x84\x7f\xff\xff\xff".repeat(100_000),
    "\x30\x80".repeat(500_000),
    "%41".repeat(300_000),
  ];
  for (const [name, read] of READERS) {
    for (const [index, input] of hostile.entries()) {
      const start = performance.now();
      assert.throws(
        () => read(new Uint8Array(Buffer.from(input, "latin1"))),
        (error) => error instanceof DonjonError,
        `${name} ${index}`,
      );
      assert.ok(performance.now() - start < MAX_CALL_MS, `${name} took too long on input ${index}`);
    }
  }
});
