/** Good SEV-SNP evidence of every version, product and signer. */
import type { AmdRoot } from "@donjon/attest/snp";
import {
  type CrlOptions,
  type FakeAmd,
  type Leaf,
  type LeafOptions,
  makeCrl,
  makeLeaf,
} from "./authority.ts";
import { makeReport, type ReportOptions } from "./report.ts";

export interface FakeTcb {
  /** Turin only. */
  readonly fmc?: number;
  readonly bootloader: number;
  readonly tee: number;
  readonly snp: number;
  readonly microcode: number;
}

/** 0xdb needs two octets as a DER INTEGER, and Turin's first octet is not Milan's. */
export const FAKE_TCB: FakeTcb = { fmc: 1, bootloader: 4, tee: 2, snp: 24, microcode: 0xdb };

export interface EvidenceOptions {
  readonly version: 2 | 3 | 4 | 5;
  readonly signer: "vcek" | "vlek";
  readonly tcb?: FakeTcb;
  /** What the certificate says instead of the truth. */
  readonly certificate?: Partial<
    Pick<LeafOptions, "commonName" | "issuer" | "notBefore" | "notAfter" | "saltLength">
  > & {
    readonly tcb?: FakeTcb;
    readonly hwid?: Uint8Array | null;
    readonly cspId?: string | null;
    readonly productName?: string;
    readonly structVersion?: number;
  };
  readonly report?: Partial<ReportOptions>;
  readonly crl?: Partial<CrlOptions>;
}

export interface FakeEvidence {
  readonly report: Uint8Array;
  readonly certificates: readonly Uint8Array[];
  readonly crls: readonly Uint8Array[];
  readonly roots: readonly AmdRoot[];
  readonly leaf: Leaf;
}

const CPUID: Readonly<Record<FakeAmd["product"], readonly [number, number, number]>> = {
  Milan: [0x19, 0x01, 0x01],
  Genoa: [0x19, 0x11, 0x01],
  Turin: [0x1a, 0x02, 0x01],
};

export function fakeHwid(amd: FakeAmd): Uint8Array {
  return new Uint8Array(amd.product === "Turin" ? 8 : 64).fill(0xc5);
}

export function fakeTcbBytes(amd: FakeAmd, tcb: FakeTcb): Uint8Array {
  return amd.product === "Turin"
    ? new Uint8Array([tcb.fmc ?? 0, tcb.bootloader, tcb.tee, tcb.snp, 0, 0, 0, tcb.microcode])
    : new Uint8Array([tcb.bootloader, tcb.tee, 0, 0, 0, 0, tcb.snp, tcb.microcode]);
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
  const report = await makeReport(
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

const BASE = "1.3.6.1.4.1.3704.1";

function leafExtensions(
  amd: FakeAmd,
  { signer, tcb, certificate = {} }: EvidenceOptions,
): (readonly [string, Uint8Array])[] {
  const turin = amd.product === "Turin";
  const versions = certificate.tcb ?? tcb ?? FAKE_TCB;
  const stepping = amd.product === "Milan" && signer === "vcek" ? "-B0" : "";
  const list: (readonly [string, Uint8Array])[] = [
    [`${BASE}.1`, derInteger(certificate.structVersion ?? (turin ? 1 : 0))],
    [`${BASE}.2`, derIa5(certificate.productName ?? `${amd.product}${stepping}`)],
    [`${BASE}.3.1`, derInteger(versions.bootloader)],
    [`${BASE}.3.2`, derInteger(versions.tee)],
    [`${BASE}.3.3`, derInteger(versions.snp)],
    [`${BASE}.3.8`, derInteger(versions.microcode)],
  ];
  if (turin) list.push([`${BASE}.3.9`, derInteger(versions.fmc ?? 0)]);
  const hwid =
    certificate.hwid === undefined ? (signer === "vcek" ? fakeHwid(amd) : null) : certificate.hwid;
  if (hwid !== null) list.push([`${BASE}.4`, hwid]);
  const cspId =
    certificate.cspId === undefined
      ? signer === "vlek"
        ? "CN=simulated.example"
        : null
      : certificate.cspId;
  if (cspId !== null) list.push([`${BASE}.5`, derIa5(cspId)]);
  return list;
}

function derInteger(value: number): Uint8Array {
  return value > 127 ? new Uint8Array([2, 2, 0, value]) : new Uint8Array([2, 1, value]);
}

function derIa5(text: string): Uint8Array {
  return new Uint8Array([0x16, text.length, ...Buffer.from(text, "latin1")]);
}
