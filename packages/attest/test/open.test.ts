/** Files of any kind: told by content, hostile or not. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { DonjonError } from "@donjon/core/errors";
import { FAKE_NOW, type FakeEvidence, makeEvidence, makeFakeAmd } from "@donjon/testkit/amd";
import {
  type IntelEvidence,
  makeFakeIntel,
  makeIntelEvidence,
  pem,
  quoteCollateralV3,
} from "@donjon/testkit/intel";
import { makeFakeNitro, makeNitroDocument } from "@donjon/testkit/nitro";
import fc from "fast-check";
import { encodeBundle, encodeCmwJson, makeBundle } from "../src/envelope.ts";
import {
  mergeEndorsements,
  openEndorsement,
  openEvidence,
  PCS_FILES,
  parseCollateralFiles,
  parseCollateralText,
  readUnverified,
} from "../src/open.ts";
import { refusal } from "./refusal.ts";
import { readIndex, readVector, skipVectors, warnSkipped } from "./vectors.ts";

let snp: FakeEvidence;
let tdx: IntelEvidence;
let document: Uint8Array;
let seeds: readonly Uint8Array[] = [];
const bytesOf = (text: string) => new TextEncoder().encode(text);

before(async () => {
  snp = await makeEvidence(await makeFakeAmd("Milan"), { version: 5, signer: "vcek" });
  tdx = await makeIntelEvidence(await makeFakeIntel(), { version: 5, body: "td-1.5" });
  document = await makeNitroDocument(await makeFakeNitro());
  const set = {
    kind: "snp",
    evidence: snp.report,
    certificates: snp.certificates,
    crls: snp.crls,
  } as const;
  const bundle = await makeBundle(
    set,
    { reportData: "any", snp: { measurement: "any" } },
    { now: FAKE_NOW, roots: { amd: snp.roots } },
  );
  seeds = [
    snp.report,
    tdx.quote,
    document,
    bytesOf(encodeBundle(bundle)),
    bytesOf(encodeCmwJson({ kind: "record", type: "application/x", value: snp.report })),
    hcl(snp.report),
    bytesOf(quoteCollateralV3(tdx.collateral)),
    bytesOf(pem(snp.certificates[0]!)),
    snp.certificates[0]!,
    snp.crls[0]!,
  ];
});

function hcl(report: Uint8Array, hash = 1): Uint8Array {
  const bytes = new Uint8Array(0x20 + 1184 + 20 + 2);
  bytes.set(bytesOf("HCLA"));
  bytes.set(report, 0x20);
  const view = new DataView(bytes.buffer);
  [22, 1, 2, hash, 2].forEach((word, index) => {
    view.setUint32(0x4c0 + 4 * index, word, true);
  });
  bytes.set(bytesOf("{}"), 0x4c0 + 20);
  return bytes;
}

test("the same evidence is found in each of its carriers", () => {
  const base64 = Buffer.from(snp.report).toString("base64");
  const json = (value: unknown) => bytesOf(JSON.stringify(value));
  const carriers: readonly (readonly [carrier: string, bytes: Uint8Array])[] = [
    ["raw", snp.report],
    ["hex", bytesOf(`0x${Buffer.from(snp.report).toString("hex")}\n`)],
    ["base64", bytesOf(base64)],
    ["json", json({ platform: "snp", evidence: { attestation_report: base64 } })],
    ["azure-hcl", hcl(snp.report)],
    [
      "azure-hcl",
      json({ evidence: { hcl_report: Buffer.from(hcl(snp.report)).toString("base64url") } }),
    ],
    ["bundle", seeds[3]!],
  ];
  for (const [carrier, bytes] of carriers) {
    const opened = openEvidence(bytes);
    assert.deepEqual([opened.carrier, opened.set.kind], [carrier, "snp"]);
    assert.deepEqual(new Uint8Array(opened.set.evidence), new Uint8Array(snp.report), carrier);
  }
});

test("runtime data of an HCL report that the report does not speak for is refused", async () => {
  const { verifyBinding } = openEvidence(hcl(snp.report));
  await assert.rejects(verifyBinding!(new Uint8Array(64)), refusal("envelope/binding"));
  const digest = new Uint8Array(64);
  digest.set(new Uint8Array(await crypto.subtle.digest("SHA-256", bytesOf("{}"))));
  await verifyBinding!(digest);
  assert.throws(() => openEvidence(hcl(snp.report, 2)), refusal("envelope/malformed"));
});

test("certificates and lists are read from PEM that mixes them, from DER and from nothing else", () => {
  const list = `-----BEGIN X509 CRL-----\n${Buffer.from(snp.crls[0]!).toString("base64")}\n-----END X509 CRL-----\n`;
  const mixed = openEndorsement(bytesOf(`${pem(snp.certificates[0]!)}${list}`));
  assert.deepEqual([mixed.certificates.length, mixed.crls.length], [1, 1]);
  assert.equal(openEndorsement(snp.certificates[0]!).certificates.length, 1);
  assert.equal(openEndorsement(snp.crls[0]!).crls.length, 1);
  const key = pem(snp.certificates[0]!).replaceAll("CERTIFICATE", "PRIVATE KEY");
  for (const bytes of [
    new Uint8Array(),
    snp.report,
    bytesOf(key),
    Uint8Array.of(0x30, 0),
    new Uint8Array(48),
  ])
    assert.throws(() => openEndorsement(bytes), refusal("envelope/malformed"));
});

test("of many lists a quote gets the root's and that of its own authority", () => {
  const { collateral } = tdx;
  const crls = [snp.crls[0]!, collateral.pckCrl!, collateral.rootCrl!];
  const set = mergeEndorsements({ kind: "tdx", evidence: tdx.quote }, { certificates: [], crls });
  assert.equal(set.collateral?.pckCrl, collateral.pckCrl);
  assert.equal(set.collateral?.rootCrl, collateral.rootCrl);
});

test("collateral is the same from one text and from files by their names", () => {
  const { collateral } = tdx;
  const signed = (name: string, part: { text: string; signature: Uint8Array }) =>
    bytesOf(
      `{"${name}":${part.text},"signature":"${Buffer.from(part.signature).toString("hex")}"}`,
    );
  const chain = (ders: readonly Uint8Array[]) => bytesOf(ders.map(pem).join(""));
  const files = new Map<string, Uint8Array>([
    [PCS_FILES.rootCrl[0], collateral.rootCrl!],
    [PCS_FILES.pckCrl[2], bytesOf(Buffer.from(collateral.pckCrl!).toString("hex"))],
    [PCS_FILES.tcbInfo[0], signed("tcbInfo", collateral.tcbInfo!)],
    [PCS_FILES.tcbInfoIssuerChain[0], chain(collateral.tcbInfoIssuerChain!)],
    [PCS_FILES.qeIdentity[0], signed("enclaveIdentity", collateral.qeIdentity!)],
    [PCS_FILES.qeIdentityIssuerChain[0], chain(collateral.qeIdentityIssuerChain!)],
    ["README", bytesOf("left alone")],
  ]);
  const plain = (value: unknown) =>
    JSON.stringify(value, (_, item) =>
      item instanceof Uint8Array ? Buffer.from(item).toString("hex") : item,
    );
  const text = parseCollateralText(quoteCollateralV3(collateral));
  assert.equal(plain(parseCollateralFiles(files)), plain(text));
});

test("anything at all is opened or refused by the error class, in bounded time", () => {
  const changed = fc
    .tuple(
      fc.nat(9),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
    )
    .map(([which, patches, part]) => {
      const bytes = seeds[which]!.slice(0, Math.ceil(seeds[which]!.length * Math.max(part, 0.2)));
      for (const [at, value] of patches) bytes[at % bytes.length] = value;
      return bytes;
    });
  const readers = [
    (bytes: Uint8Array) => readUnverified(openEvidence(bytes).set),
    openEndorsement,
    (bytes: Uint8Array) => parseCollateralText(Buffer.from(bytes).toString("latin1")),
    (bytes: Uint8Array) =>
      parseCollateralFiles(new Map(Object.values(PCS_FILES).map(([name]) => [name, bytes]))),
    (bytes: Uint8Array) =>
      mergeEndorsements({ kind: "sgx", evidence: bytes }, { certificates: [], crls: snp.crls }),
  ];
  fc.assert(
    fc.property(
      fc.oneof(changed, fc.uint8Array({ maxLength: 1500 }), fc.json().map(bytesOf)),
      (bytes) => {
        for (const read of readers) {
          try {
            read(bytes);
          } catch (error) {
            assert.ok(
              error instanceof DonjonError,
              String(error instanceof Error ? error.stack : error),
            );
          }
        }
      },
    ),
    { numRuns: 1500 },
  );
});

warnSkipped(1);

test("every file of the vectors is opened or refused by the error class; evidence is counted", {
  skip: skipVectors,
}, () => {
  const counts: Record<string, number> = {};
  for (const { repo, file } of readIndex()) {
    try {
      const { set, carrier } = openEvidence(readVector(`${repo}/${file}`));
      readUnverified(set);
      counts[`${set.kind} ${carrier}`] = (counts[`${set.kind} ${carrier}`] ?? 0) + 1;
    } catch (error) {
      assert.ok(error instanceof DonjonError, `${repo}/${file}: ${error}`);
    }
  }
  assert.deepEqual(counts, {
    "snp raw": 8,
    "snp hex": 1,
    "snp json": 1,
    "snp azure-hcl": 2,
    "tdx raw": 8,
    "tdx hex": 1,
    "tdx base64": 1,
    "tdx json": 1,
    "sgx raw": 5,
    "sgx hex": 1,
    "sgx request": 1,
    "sgx certificate": 2,
    "nitro raw": 4,
    "nitro base64": 1,
  });
});
