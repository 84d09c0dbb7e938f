/** What is fuzzed, and with which seeds. A verifier that accepts a changed input whose claims differ is a finding. */
import { appraise, parsePolicyToml, plainClaims } from "@donjon/attest/appraise";
import {
  encodeBundle,
  encodeEar,
  makeBundle,
  parseCmwCbor,
  parseCmwJson,
  parseEar,
} from "@donjon/attest/envelope";
import {
  openEndorsement,
  openEvidence,
  parseCollateralText,
  readUnverified,
} from "@donjon/attest/open";
import { VerifyCache } from "@donjon/attest/snp";
import { type EvidenceOptions, type EvidenceSet, verifyEvidence } from "@donjon/attest/verify";
import { FAKE_NOW, makeEvidence, makeFakeAmd } from "@donjon/testkit/amd";
import {
  INTEL_NOW,
  makeFakeIntel,
  makeIntelEvidence,
  quoteCollateralV3,
} from "@donjon/testkit/intel";
import { makeFakeNitro, makeNitroDocument, NITRO_NOW } from "@donjon/testkit/nitro";

export interface Target {
  readonly name: string;
  readonly seeds: readonly Uint8Array[];
  /** Text is a finding; DonjonError is a refusal; anything else thrown is a finding. */
  readonly run: (input: Uint8Array) => unknown;
}

interface Good {
  readonly name: string;
  readonly set: EvidenceSet;
  readonly options: EvidenceOptions;
}

const ANY = {
  reportData: "any",
  snp: { measurement: "any" },
  tdx: { mrTd: "any" },
  sgx: { mrEnclave: "any" },
  nitro: { pcr0: "any" },
} as const;

export async function createTargets(vectors: readonly Uint8Array[]): Promise<readonly Target[]> {
  const good = await makeGood();
  const text = new TextEncoder();
  const bundles = await Promise.all(
    good.map(async ({ set, options }) =>
      text.encode(encodeBundle(await makeBundle(set, ANY, options))),
    ),
  );
  const made = good.flatMap(({ set }) => [
    set.evidence,
    ...(set.certificates ?? []),
    ...(set.crls ?? []),
  ]);
  const collateral = good.flatMap(({ set }) =>
    set.collateral?.rootCrl === undefined ? [] : [text.encode(quoteCollateralV3(set.collateral))],
  );
  const corpus = [...vectors, ...made, ...bundles, ...collateral];
  const asText = (input: Uint8Array) => Buffer.from(input).toString("latin1");
  const policy = text.encode(`report_data = "any"\n[snp]\nmeasurement = "any"\nvmpl = [0, 1]\n`);
  return [
    { name: "open", seeds: corpus, run: (input) => void readUnverified(openEvidence(input).set) },
    { name: "endorsement", seeds: corpus, run: (input) => void openEndorsement(input) },
    {
      name: "collateral",
      seeds: [...collateral, ...vectors],
      run: (input) => void parseCollateralText(asText(input)),
    },
    { name: "cmw cbor", seeds: corpus, run: (input) => void parseCmwCbor(input) },
    { name: "cmw json", seeds: corpus, run: (input) => void parseCmwJson(asText(input)) },
    {
      name: "ear",
      seeds: await Promise.all(good.map(encodeResult)),
      run: (input) => void parseEar(readJson(input)),
    },
    {
      name: "policy",
      seeds: [policy, ...bundles],
      run: (input) => void parsePolicyToml(asText(input)),
    },
    ...(await Promise.all(good.flatMap(verifyTargets))),
  ];
}

async function makeGood(): Promise<readonly Good[]> {
  const intel = await makeFakeIntel();
  const nitro = await makeFakeNitro();
  const snp = ["Milan", "Turin"] as const;
  const quotes = [
    [3, "sgx"],
    [4, "td-1.0"],
    [5, "td-1.5-ex"],
  ] as const;
  return [
    ...(await Promise.all(
      snp.map(async (product): Promise<Good> => {
        const one = await makeEvidence(await makeFakeAmd(product), { version: 5, signer: "vcek" });
        const { report: evidence, certificates, crls, roots } = one;
        return {
          name: `snp ${product}`,
          set: { kind: "snp", evidence, certificates, crls },
          options: { now: FAKE_NOW, roots: { amd: roots }, cache: new VerifyCache() },
        };
      }),
    )),
    ...(await Promise.all(
      quotes.map(async ([version, body]): Promise<Good> => {
        const { quote, collateral, roots } = await makeIntelEvidence(intel, { version, body });
        return {
          name: `quote ${version} ${body}`,
          set: { kind: body === "sgx" ? "sgx" : "tdx", evidence: quote, collateral },
          options: { now: INTEL_NOW, roots: { intel: roots }, cache: new VerifyCache() },
        };
      }),
    )),
    {
      name: "nitro",
      set: { kind: "nitro", evidence: await makeNitroDocument(nitro) },
      options: { now: NITRO_NOW, roots: { nitro: nitro.roots }, cache: new VerifyCache() },
    },
  ];
}

/** One target changes the evidence, one each of what stands beside it. */
function verifyTargets({ name, set, options }: Good): Promise<Target>[] {
  const targets: (readonly [
    part: string,
    seed: Uint8Array,
    change: (input: Uint8Array) => EvidenceSet,
  ])[] = [["evidence", set.evidence, (evidence) => ({ ...set, evidence })]];
  const { certificates = [], crls = [], collateral } = set;
  if (certificates[0] !== undefined)
    targets.push(["certificate", certificates[0], (one) => ({ ...set, certificates: [one] })]);
  if (crls[0] !== undefined) targets.push(["crl", crls[0], (one) => ({ ...set, crls: [one] })]);
  if (collateral !== undefined) {
    const text = new TextEncoder();
    const { tcbInfo, qeIdentity, pckCrl, tcbInfoIssuerChain } = collateral;
    const decode = (input: Uint8Array) => new TextDecoder().decode(input);
    const beside = (change: object) => ({ ...set, collateral: { ...collateral, ...change } });
    targets.push(
      ["pck crl", pckCrl!, (one) => beside({ pckCrl: one })],
      [
        "tcb info",
        text.encode(tcbInfo!.text),
        (one) => beside({ tcbInfo: { ...tcbInfo!, text: decode(one) } }),
      ],
      [
        "qe identity",
        text.encode(qeIdentity!.text),
        (one) => beside({ qeIdentity: { ...qeIdentity!, text: decode(one) } }),
      ],
      [
        "signer",
        tcbInfoIssuerChain![0]!,
        (one) => beside({ tcbInfoIssuerChain: [one, ...tcbInfoIssuerChain!.slice(1)] }),
      ],
    );
  }
  return targets.map(async ([part, seed, change]): Promise<Target> => {
    const wanted = show((await verifyEvidence(set, options)).claims);
    return {
      name: `verify ${name}, ${part}`,
      seeds: [seed],
      run: async (input) => {
        const { claims } = await verifyEvidence(change(input), options);
        return show(claims) === wanted ? undefined : "accepted with other claims";
      },
    };
  });
}

/** What follows a quote is signed by nobody and is only counted. */
function show(claims: unknown): string {
  return JSON.stringify({ ...(plainClaims(claims) as object), trailingBytes: 0 });
}

/** `parseEar` takes claims that are JSON already. */
function readJson(input: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(input));
  } catch {
    return undefined;
  }
}

async function encodeResult({ set, options }: Good): Promise<Uint8Array> {
  const appraisal = appraise(await verifyEvidence(set, options), ANY);
  const verifier = { developer: "https://example.com", build: "1" };
  const claims = encodeEar(appraisal, { issuedAt: FAKE_NOW, verifier, nonce: "abcdefgh" });
  return new TextEncoder().encode(JSON.stringify(claims));
}
