/** Good SGX and TDX evidence of every version and body, with its collateral. */
import type { IntelCollateral, IntelRoot } from "@donjon/attest/intel";
import { encodePckChain, encodePem } from "@donjon/simtee/intel/pem";
import { type EcParty, type FakeEcCrlOptions, makeEcCrl } from "../ecdsa-authority.ts";
import {
  type FakeQeIdentityOptions,
  type FakeTcbInfoOptions,
  qeIdentityText,
  signText,
  tcbInfoText,
} from "./collateral.ts";
import { type FakeBody, makeQuote, type QuoteOptions } from "./quote.ts";
import { type FakeIntel, type FakePckOptions, makePck } from "./vendor.ts";

export interface IntelEvidenceOptions {
  readonly version: 3 | 4 | 5;
  readonly body: FakeBody;
  readonly pck?: FakePckOptions;
  /** `der` puts DER certificates one after the other; `ppid` names the platform and gives the chain as collateral. */
  readonly chain?: "pem" | "der" | "ppid";
  /** Instead of the chain to the root. */
  readonly path?: readonly EcParty[];
  readonly quote?: Partial<QuoteOptions>;
  readonly tcbInfo?: Partial<FakeTcbInfoOptions>;
  readonly tcbSigner?: EcParty;
  readonly qeIdentity?: Partial<FakeQeIdentityOptions>;
  readonly rootCrl?: Partial<FakeEcCrlOptions>;
  readonly pckCrl?: Partial<FakeEcCrlOptions>;
}

export interface IntelEvidence {
  readonly quote: Uint8Array;
  readonly collateral: IntelCollateral;
  readonly roots: readonly IntelRoot[];
  readonly pck: EcParty;
}

export async function makeIntelEvidence(
  intel: FakeIntel,
  options: IntelEvidenceOptions,
): Promise<IntelEvidence> {
  const tee = options.body === "sgx" ? "sgx" : "tdx";
  const pck = await makePck(intel, options.pck);
  const authority = options.pck?.issuer ?? intel.platformCa;
  const path = options.path ?? [pck, authority, intel.root];
  const quote = makeQuote({
    version: options.version,
    body: options.body,
    pck,
    certification: certificationData(options.chain ?? "pem", path),
    ...options.quote,
  });
  const signer = options.tcbSigner ?? intel.tcbSigner;
  const tcbInfo = tcbInfoText({ tee, ...options.tcbInfo });
  const qeIdentity = qeIdentityText({ tee, ...options.qeIdentity });
  const chain = [signer.certificate, intel.root.certificate];
  const collateral: IntelCollateral = {
    rootCrl: await makeEcCrl({ issuer: intel.root, ...options.rootCrl }),
    pckCrl: await makeEcCrl({ issuer: authority, ...options.pckCrl }),
    tcbInfo: { text: tcbInfo, signature: await signText(signer, tcbInfo) },
    tcbInfoIssuerChain: chain,
    qeIdentity: { text: qeIdentity, signature: await signText(signer, qeIdentity) },
    qeIdentityIssuerChain: chain,
    ...(options.chain === "ppid" ? { pckChain: path.map((one) => one.certificate) } : {}),
  };
  return { quote, collateral, roots: intel.roots, pck };
}

/** The collateral as `QuoteCollateralV3` JSON. */
export function quoteCollateralV3(collateral: IntelCollateral): string {
  const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString("hex");
  const chain = (ders: readonly Uint8Array[] | undefined) => (ders ?? []).map(encodePem).join("");
  return JSON.stringify({
    pck_crl_issuer_chain: chain(collateral.pckChain),
    root_ca_crl: hex(collateral.rootCrl),
    pck_crl: hex(collateral.pckCrl),
    tcb_info_issuer_chain: chain(collateral.tcbInfoIssuerChain),
    tcb_info: collateral.tcbInfo?.text,
    tcb_info_signature: hex(collateral.tcbInfo?.signature),
    qe_identity_issuer_chain: chain(collateral.qeIdentityIssuerChain),
    qe_identity: collateral.qeIdentity?.text,
    qe_identity_signature: hex(collateral.qeIdentity?.signature),
  });
}

function certificationData(
  form: "pem" | "der" | "ppid",
  path: readonly EcParty[],
): QuoteOptions["certification"] {
  const ders = path.map((one) => one.certificate);
  if (form === "ppid") return { type: 1, data: new Uint8Array(36).fill(0xaa) };
  if (form === "der") return { type: 5, data: new Uint8Array(Buffer.concat(ders)) };
  return encodePckChain(ders);
}
