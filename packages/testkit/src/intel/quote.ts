/** Quotes of every version and body, with anything in them: simtee's, and TD reports by hand from Intel's DCAP documents. */
import { KeyObject } from "node:crypto";
import { TEE_TCB_SVN } from "@donjon/simtee/intel/collateral";
import {
  encodeEnclaveReport,
  encodeQeReport,
  encodeQuoteHeader,
  join,
  makeQuotingEnclave,
  signQuote,
  u16,
  u32,
} from "@donjon/simtee/intel/quote";
import type { EcParty } from "../ecdsa-authority.ts";

export type FakeBody = "sgx" | "td-1.0" | "td-1.5" | "td-1.5-ex";

const BODY_SIZES: Readonly<Record<FakeBody, number>> = {
  sgx: 384,
  "td-1.0": 584,
  "td-1.5": 648,
  "td-1.5-ex": 885,
};
const BODY_TYPES: Readonly<Record<FakeBody, number>> = {
  sgx: 1,
  "td-1.0": 2,
  "td-1.5": 3,
  "td-1.5-ex": 4,
};

/** Octets to write over what was made, before signing. */
export type Patch = readonly (readonly [offset: number, ...octets: number[]])[];

export interface QuoteOptions {
  readonly version: 3 | 4 | 5;
  readonly body: FakeBody;
  readonly pck: EcParty;
  /** DER or PEM chain for certification data type 5, or what another type holds. */
  readonly certification: { readonly type: number; readonly data: Uint8Array };
  readonly reportData?: Uint8Array;
  /** TDX: octet 0 the module's security version, octet 1 its version. */
  readonly teeTcbSvn?: readonly number[];
  readonly teeTcbSvn2?: readonly number[];
  readonly header?: Patch;
  readonly bodyPatch?: Patch;
  readonly qe?: Patch;
  /** Instead of the digest of attestation key and authentication data. */
  readonly qeReportData?: Uint8Array;
  /** Another key than the PCK signs the QE report. */
  readonly qeSigner?: EcParty;
  readonly trailing?: Uint8Array;
}

export function makeQuote(options: QuoteOptions): Uint8Array {
  const { version, body, header = [], qe = [] } = options;
  const tee = body === "sgx" ? "sgx" : "tdx";
  const enclave = makeQuotingEnclave({
    pckKey: KeyObject.from((options.qeSigner ?? options.pck).keys.privateKey),
    certification: options.certification,
    encodeReport: (bound) => patched(encodeQeReport(tee, options.qeReportData ?? bound), qe),
  });
  const signed = join(
    patched(encodeQuoteHeader(version, tee), header),
    makeDescriptor(options),
    makeBody(options),
  );
  return join(signQuote(enclave, version, signed), options.trailing ?? new Uint8Array());
}

function makeDescriptor({ version, body }: QuoteOptions): Uint8Array {
  return version === 5 ? join(u16(BODY_TYPES[body]), u32(BODY_SIZES[body])) : new Uint8Array();
}

function makeBody(options: QuoteOptions): Uint8Array {
  const { body, reportData = new Uint8Array(64).fill(0x42), bodyPatch = [] } = options;
  if (body === "sgx") {
    const report = encodeEnclaveReport({
      attributes: 0x05, // INIT, MODE64BIT
      mrEnclave: new Uint8Array(32).fill(0x11),
      mrSigner: new Uint8Array(32).fill(0x22),
      isvProdId: 7,
      isvSvn: 3,
      reportData,
    });
    return patched(report, bodyPatch);
  }
  const bytes = new Uint8Array(BODY_SIZES[body]);
  bytes.set(options.teeTcbSvn ?? TEE_TCB_SVN, 0);
  bytes.fill(0x33, 16, 64); // MRSEAM
  bytes[123] = 0x10; // SEPT_VE_DISABLE
  bytes[128] = 0x03; // XFAM
  bytes.fill(0x44, 136, 184); // MRTD
  bytes.set(reportData, 520);
  if (body !== "td-1.0") bytes.set(options.teeTcbSvn2 ?? options.teeTcbSvn ?? TEE_TCB_SVN, 584);
  if (body === "td-1.5-ex") bytes.fill(0x55, 649, 681); // TD id
  return patched(bytes, bodyPatch);
}

function patched(bytes: Uint8Array<ArrayBuffer>, patch: Patch): Uint8Array<ArrayBuffer> {
  for (const [offset, ...octets] of patch) bytes.set(octets, offset);
  return bytes;
}
