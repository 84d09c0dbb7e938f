/** Good SEV-SNP evidence of every version, product and signer. */
import type { AmdRoot } from "@donjon/attest/snp";
import { CPUID, encodeLeafExtensions, encodeTcbVersion, hwidBytes } from "@donjon/simtee/amd/leaf";
import type { SnpTcb } from "@donjon/simtee/simulated-tcb";
import {
  type FakeAmd,
  type FakeCrlOptions,
  type FakeLeafOptions,
  type Leaf,
  makeCrl,
  makeLeaf,
} from "./authority.ts";
import { makeReport, type ReportOptions } from "./report.ts";

export type FakeTcb = SnpTcb;

/** 0xdb needs two octets as a DER INTEGER, and Turin's first octet is not Milan's. */
export const FAKE_TCB: FakeTcb = { fmc: 1, bootloader: 4, tee: 2, snp: 24, microcode: 0xdb };

export interface EvidenceOptions {
  readonly version: 2 | 3 | 4 | 5;
  readonly signer: "vcek" | "vlek";
  readonly tcb?: FakeTcb;
  /** What the certificate says instead of the truth. */
  readonly certificate?: Partial<
    Pick<FakeLeafOptions, "commonName" | "issuer" | "notBefore" | "notAfter" | "saltLength">
  > & {
    readonly tcb?: FakeTcb;
    readonly hwid?: Uint8Array | null;
    readonly cspId?: string | null;
    readonly productName?: string;
    readonly structVersion?: number;
  };
  readonly report?: Partial<ReportOptions>;
  readonly crl?: Partial<FakeCrlOptions>;
}

export interface FakeEvidence {
  readonly report: Uint8Array;
  readonly certificates: readonly Uint8Array[];
  readonly crls: readonly Uint8Array[];
  readonly roots: readonly AmdRoot[];
  readonly leaf: Leaf;
}

export function fakeHwid(amd: FakeAmd): Uint8Array {
  return new Uint8Array(hwidBytes(amd.product)).fill(0xc5);
}

export function fakeTcbBytes(amd: FakeAmd, tcb: FakeTcb): Uint8Array {
  return encodeTcbVersion(amd.product, tcb);
}

export async function makeEvidence(amd: FakeAmd, options: EvidenceOptions): Promise<FakeEvidence> {
  const { signer, certificate = {} } = options;
  const leaf = await makeLeaf({
    commonName: signer === "vcek" ? "SEV-VCEK" : "SEV-VLEK",
    issuer: signer === "vcek" ? amd.ask : amd.asvk,
    ...certificate,
    extensions: leafExtensions(amd, options),
  });
  const tcb = fakeTcbBytes(amd, options.tcb ?? FAKE_TCB);
  const chipId = new Uint8Array(64);
  if (signer === "vcek") chipId.set(fakeHwid(amd));
  const report = makeReport(
    {
      version: options.version,
      signingKey: signer === "vcek" ? 0 : 1,
      chipId,
      cpuid: CPUID[amd.product],
      currentTcb: tcb,
      reportedTcb: tcb,
      committedTcb: tcb,
      launchTcb: tcb,
      ...options.report,
    },
    leaf.keys.privateKey,
  );
  const crl = await makeCrl({ issuer: amd.ark, ...options.crl });
  return { report, certificates: [leaf.certificate], crls: [crl], roots: [amd.root], leaf };
}

/** What the certificate says: the truth, unless a test says otherwise; `null` leaves a name out. */
function leafExtensions(amd: FakeAmd, { signer, tcb, certificate = {} }: EvidenceOptions) {
  const vcek = signer === "vcek";
  const { hwid = vcek ? fakeHwid(amd) : null, cspId = vcek ? null : "CN=simulated.example" } =
    certificate;
  return encodeLeafExtensions({
    product: amd.product,
    tcb: certificate.tcb ?? tcb ?? FAKE_TCB,
    hwid: hwid ?? undefined,
    cspId: cspId ?? undefined,
    structVersion: certificate.structVersion,
    productName: certificate.productName,
  });
}
