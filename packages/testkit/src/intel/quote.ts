/**
 * Writes and signs quotes by hand, offset by offset from Intel's DCAP documents, so that a wrong layout table cannot
 * agree with itself.
 */
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
const INTEL_VENDOR = "939a7233f79c4ca9940a0db3957f0607";

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

export const FAKE_TEE_TCB_SVN: readonly number[] = [6, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
export const FAKE_QE_SVN = 8;
export const FAKE_QE_SIGNER = new Uint8Array(32).fill(0x8c);

export async function makeQuote(options: QuoteOptions): Promise<Uint8Array> {
  const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ]);
  const attestationKey = new Uint8Array(
    await crypto.subtle.exportKey("raw", keys.publicKey),
  ).subarray(1);
  const authentication = new Uint8Array(32).map((_, index) => index);
  const digest = await crypto.subtle.digest("SHA-256", join(attestationKey, authentication));
  const qeReport = makeQeReport(
    options,
    options.qeReportData ?? join(new Uint8Array(digest), new Uint8Array(32)),
  );
  const signed = join(makeHeader(options), makeDescriptor(options), makeBody(options));
  const signature = await sign(keys.privateKey, signed);
  const qeSignature = await sign((options.qeSigner ?? options.pck).keys.privateKey, qeReport);
  const qeData = join(
    qeReport,
    qeSignature,
    u16(authentication.length),
    authentication,
    u16(options.certification.type),
    u32(options.certification.data.length),
    options.certification.data,
  );
  const wrapped = options.version === 3 ? qeData : join(u16(6), u32(qeData.length), qeData);
  const data = join(signature, attestationKey, wrapped);
  return join(signed, u32(data.length), data, options.trailing ?? new Uint8Array());
}

function makeHeader({ version, body, header = [] }: QuoteOptions): Uint8Array {
  const bytes = new Uint8Array(48);
  bytes[0] = version;
  bytes[2] = 2;
  bytes[4] = body === "sgx" ? 0 : 0x81;
  if (version === 3) bytes.set([8, 0, 11, 0], 8);
  bytes.set(Buffer.from(INTEL_VENDOR, "hex"), 12);
  return patched(bytes, header);
}

function makeDescriptor({ version, body }: QuoteOptions): Uint8Array {
  return version === 5 ? join(u16(BODY_TYPES[body]), u32(BODY_SIZES[body])) : new Uint8Array();
}

function makeBody(options: QuoteOptions): Uint8Array {
  const { body, reportData = new Uint8Array(64).fill(0x42), bodyPatch = [] } = options;
  const bytes = new Uint8Array(BODY_SIZES[body]);
  if (body === "sgx") {
    bytes[48] = 0x05; // INIT, MODE64BIT
    bytes.fill(0x11, 64, 96); // MRENCLAVE
    bytes.fill(0x22, 128, 160); // MRSIGNER
    bytes[256] = 7; // ISVPRODID
    bytes[258] = 3; // ISVSVN
    bytes.set(reportData, 320);
    return patched(bytes, bodyPatch);
  }
  bytes.set(options.teeTcbSvn ?? FAKE_TEE_TCB_SVN, 0);
  bytes.fill(0x33, 16, 64); // MRSEAM
  bytes[123] = 0x10; // SEPT_VE_DISABLE
  bytes[128] = 0x03; // XFAM
  bytes.fill(0x44, 136, 184); // MRTD
  bytes.set(reportData, 520);
  if (body !== "td-1.0")
    bytes.set(options.teeTcbSvn2 ?? options.teeTcbSvn ?? FAKE_TEE_TCB_SVN, 584);
  if (body === "td-1.5-ex") bytes.fill(0x55, 649, 681); // TD id
  return patched(bytes, bodyPatch);
}

function makeQeReport(
  { body, qe = [] }: QuoteOptions,
  reportData: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(384);
  bytes[48] = 0x15; // INIT, MODE64BIT, PROVISIONKEY
  bytes[56] = 0xe7; // XFRM, outside the identity's mask
  bytes.set(FAKE_QE_SIGNER, 128);
  bytes[256] = body === "sgx" ? 1 : 2;
  bytes[258] = FAKE_QE_SVN;
  bytes.set(reportData, 320);
  return patched(bytes, qe);
}

async function sign(key: CryptoKey, bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key, bytes));
}

function patched(bytes: Uint8Array<ArrayBuffer>, patch: Patch): Uint8Array<ArrayBuffer> {
  for (const [offset, ...octets] of patch) bytes.set(octets, offset);
  return bytes;
}

function join(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(parts));
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, value >> 8);
}

function u32(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24);
}
