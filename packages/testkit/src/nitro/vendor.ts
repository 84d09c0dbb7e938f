/** A made-up AWS: root, regional authorities, the hypervisor's certificate, and attestation documents. */
import type { NitroReason, NitroRoot } from "@donjon/attest/nitro";
import { encode } from "cborg";
import { type EcParty, makeEcParty } from "../ecdsa-authority.ts";

/** A moment at which documents made here without other dates are valid. */
export const NITRO_NOW = new Date("2026-06-01T01:00:00Z");

const curve = "P-384";
const LEAF_FROM = new Date("2026-06-01T00:00:00Z");
const LEAF_UNTIL = new Date("2026-06-01T03:00:00Z");

export interface FakeNitro {
  readonly root: EcParty;
  readonly region: EcParty;
  readonly zone: EcParty;
  readonly leaf: EcParty;
  /** For the `roots` option of `verifyNitro`. */
  readonly roots: readonly NitroRoot[];
}

export async function makeFakeNitro(): Promise<FakeNitro> {
  const root = await makeEcParty({
    name: "SIMULATED aws.nitro-enclaves",
    serialNumber: "0d0000",
    curve,
    ca: true,
  });
  const region = await makeEcParty({
    name: "SIMULATED region",
    serialNumber: "0d0001",
    curve,
    ca: true,
    pathLength: 1,
    issuer: root,
  });
  const zone = await makeEcParty({
    name: "SIMULATED zone",
    serialNumber: "0d0002",
    curve,
    ca: true,
    pathLength: 0,
    issuer: region,
  });
  const leaf = await makeNitroLeaf(zone);
  const digest = await crypto.subtle.digest("SHA-256", new Uint8Array(root.certificate));
  const certificateSha256 = Buffer.from(digest).toString("hex");
  return { root, region, zone, leaf, roots: [{ commonName: root.name, certificateSha256 }] };
}

export function makeNitroLeaf(
  issuer: EcParty,
  options: Partial<Parameters<typeof makeEcParty>[0]> = {},
): Promise<EcParty> {
  const dates = { notBefore: LEAF_FROM, notAfter: LEAF_UNTIL };
  return makeEcParty({
    name: "SIMULATED i-0123-enc0123",
    serialNumber: "0d0003",
    curve,
    issuer,
    ...dates,
    ...options,
  });
}

export interface DocumentOptions {
  readonly leaf?: EcParty;
  readonly cabundle?: readonly EcParty[];
  /** Members of the payload to change; `undefined` takes one out. */
  readonly payload?: Readonly<Record<string, unknown>>;
  readonly tpm?: boolean;
  readonly tagged?: boolean;
  readonly algorithm?: number;
  readonly unprotected?: Map<unknown, unknown>;
  readonly signer?: EcParty;
}

export async function makeNitroDocument(
  nitro: FakeNitro,
  options: DocumentOptions = {},
): Promise<Uint8Array> {
  const { leaf = nitro.leaf, cabundle = [nitro.root, nitro.region, nitro.zone] } = options;
  const pcrs = new Map(
    Array.from({ length: 16 }, (_, index) => [index, new Uint8Array(48).fill(index + 1)]),
  );
  const members = {
    module_id: "i-0123-enc0123",
    digest: "SHA384",
    timestamp: NITRO_NOW.getTime(),
    [options.tpm === true ? "nitrotpm_pcrs" : "pcrs"]: pcrs,
    certificate: leaf.certificate,
    cabundle: cabundle.map((one) => one.certificate),
    public_key: null,
    user_data: Uint8Array.of(1, 2, 3),
    nonce: null,
    ...options.payload,
  };
  const payload = encode(
    new Map(Object.entries(members).filter(([, value]) => value !== undefined)),
  );
  const header = encode(new Map([[1, options.algorithm ?? -35]]));
  const signed = new Uint8Array(encode(["Signature1", header, new Uint8Array(), payload]));
  const key = (options.signer ?? leaf).keys.privateKey;
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-384" }, key, signed);
  const message = encode([
    header,
    options.unprotected ?? new Map(),
    payload,
    new Uint8Array(signature),
  ]);
  return options.tagged === true ? Uint8Array.of(0xd2, ...message) : message;
}

export interface BadNitroDocument {
  readonly name: string;
  readonly reason: NitroReason;
  readonly make: () => Promise<Uint8Array>;
}

/** Documents with exactly one thing wrong, and the reason that a verifier must give. */
export function badNitroDocuments(nitro: FakeNitro): readonly BadNitroDocument[] {
  const built = (name: string, reason: NitroReason, options: DocumentOptions) => ({
    name,
    reason,
    make: () => makeNitroDocument(nitro, options),
  });
  const leafWith = (
    name: string,
    reason: NitroReason,
    options: Parameters<typeof makeNitroLeaf>[1],
  ) => ({
    name,
    reason,
    make: async () => makeNitroDocument(nitro, { leaf: await makeNitroLeaf(nitro.zone, options) }),
  });
  const zeros = new Map([[0, new Uint8Array(47)]]);
  return [
    built("ES256", "nitro/algorithm", { algorithm: -7 }),
    built("an unprotected header", "nitro/malformed", {
      unprotected: new Map([[4, Uint8Array.of(1)]]),
    }),
    built("no module id", "nitro/malformed", { payload: { module_id: undefined } }),
    built("another digest", "nitro/malformed", { payload: { digest: "SHA256" } }),
    built("a timestamp of zero", "nitro/malformed", { payload: { timestamp: 0 } }),
    built("no registers", "nitro/malformed", { payload: { pcrs: undefined } }),
    built("a register of 47 octets", "nitro/malformed", { payload: { pcrs: zeros } }),
    built("registers of both kinds", "nitro/malformed", {
      payload: { nitrotpm_pcrs: new Map([[0, new Uint8Array(48)]]) },
    }),
    built("no authorities", "nitro/malformed", { payload: { cabundle: [] } }),
    built("a certificate of text", "nitro/malformed", { payload: { certificate: "none" } }),
    built("garbage for a certificate", "nitro/certificate-malformed", {
      payload: { certificate: new Uint8Array(9) },
    }),
    built("another root", "nitro/root", { cabundle: [nitro.region, nitro.zone] }),
    built("a link left out", "nitro/chain", { cabundle: [nitro.root, nitro.zone] }),
    built("authorities in another order", "nitro/chain", {
      cabundle: [nitro.root, nitro.zone, nitro.region],
    }),
    leafWith("a leaf of the past", "nitro/certificate-expired", { notAfter: LEAF_FROM }),
    leafWith("a leaf of the future", "nitro/certificate-expired", { notBefore: LEAF_UNTIL }),
    leafWith("a leaf that another key signed", "nitro/certificate-signature", {
      signer: nitro.region,
    }),
    built("another key's signature", "nitro/signature", { signer: nitro.zone }),
    {
      name: "an octet after the document",
      reason: "nitro/malformed",
      make: async () => Uint8Array.of(...(await makeNitroDocument(nitro)), 0),
    },
    { name: "70,000 octets", reason: "nitro/limit", make: async () => new Uint8Array(70_000) },
  ];
}
