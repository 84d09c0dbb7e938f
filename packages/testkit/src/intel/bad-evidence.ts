/** SGX and TDX evidence with exactly one thing wrong, and the reason that a verifier must give. */
import type { IntelCollateral, IntelReason } from "@donjon/attest/intel";
import type { TdxReason } from "@donjon/attest/tdx";
import { encodeSgxExtension } from "@donjon/simtee/intel/sgx-extension";
import { type EcParty, makeEcParty } from "../ecdsa-authority.ts";
import { signText } from "./collateral.ts";
import { type IntelEvidence, type IntelEvidenceOptions, makeIntelEvidence } from "./evidence.ts";
import { FAKE_COMPONENTS, FAKE_PCE_SVN, FAKE_QE_SVN } from "./platform.ts";
import type { FakeBody, QuoteOptions } from "./quote.ts";
import { type FakeIntel, ROOT_NAME } from "./vendor.ts";

export interface BadIntelEvidence {
  readonly name: string;
  readonly body: FakeBody;
  readonly reason: IntelReason | TdxReason;
  readonly make: () => Promise<IntelEvidence>;
}

const SGX: IntelEvidenceOptions = { version: 3, body: "sgx" };
const TDX: IntelEvidenceOptions = { version: 5, body: "td-1.5" };
const PAST = new Date("2025-06-01T00:00:00Z");
const FUTURE = new Date("2034-01-01T00:00:00Z");

type Options = Partial<IntelEvidenceOptions>;

class Catalogue {
  readonly entries: BadIntelEvidence[] = [];
  readonly #intel: FakeIntel;

  constructor(intel: FakeIntel) {
    this.#intel = intel;
  }

  sgx(name: string, reason: BadIntelEvidence["reason"], options: Options): void {
    this.#add(name, reason, { ...SGX, ...options });
  }

  tdx(name: string, reason: BadIntelEvidence["reason"], options: Options): void {
    this.#add(name, reason, { ...TDX, ...options });
  }

  /** Good evidence, changed after it was made. */
  changed(
    name: string,
    reason: BadIntelEvidence["reason"],
    change: (good: IntelEvidence) => Partial<IntelEvidence> | Promise<Partial<IntelEvidence>>,
    options: IntelEvidenceOptions = SGX,
  ): void {
    const make = async () => {
      const good = await makeIntelEvidence(this.#intel, options);
      return { ...good, ...(await change(good)) };
    };
    this.entries.push({ name, body: options.body, reason, make });
  }

  collateral(
    name: string,
    reason: BadIntelEvidence["reason"],
    change: (good: IntelCollateral) => Partial<IntelCollateral>,
  ): void {
    this.changed(name, reason, ({ collateral }) => ({
      collateral: { ...collateral, ...change(collateral) },
    }));
  }

  #add(name: string, reason: BadIntelEvidence["reason"], options: IntelEvidenceOptions): void {
    const make = () => makeIntelEvidence(this.#intel, options);
    this.entries.push({ name, body: options.body, reason, make });
  }
}

export async function badIntelEvidence(intel: FakeIntel): Promise<readonly BadIntelEvidence[]> {
  const list = new Catalogue(intel);
  const stranger = await makeEcParty({
    name: ROOT_NAME,
    serialNumber: "0c0000",
    curve: "P-256",
    ca: true,
  });
  addQuotes(list, stranger);
  const leafAuthority = await makeEcParty({
    name: intel.platformCa.name,
    serialNumber: "0c0001",
    curve: "P-256",
    issuer: intel.root,
  });
  addChains(list, intel, stranger, leafAuthority);
  addCrls(list, intel, stranger);
  addSignedJson(list, intel, stranger);
  addIdentities(list);
  addLevels(list);
  return list.entries;
}

function addQuotes(list: Catalogue, stranger: EcParty): void {
  const quote = (change: Partial<QuoteOptions>): Options => ({ quote: change });
  list.sgx("version 2", "intel/quote-version", quote({ header: [[0, 2]] }));
  list.sgx("version 6", "intel/quote-version", quote({ header: [[0, 6]] }));
  list.sgx("attestation key of P-384", "intel/quote-version", quote({ header: [[2, 3]] }));
  list.tdx("TEE type 2", "intel/quote-version", quote({ header: [[4, 2]] }));
  list.tdx("body type of another TEE", "intel/quote-version", quote({ header: [[4, 0]] }));
  list.tdx(
    "reserved octet of the header in use",
    "intel/quote-malformed",
    quote({ header: [[8, 1]] }),
  );
  list.sgx("another quoting enclave's vendor", "intel/qe-vendor", quote({ header: [[12, 0]] }));
  list.sgx(
    "reserved octet of the enclave report in use",
    "intel/quote-malformed",
    quote({ bodyPatch: [[20, 1]] }),
  );
  list.sgx(
    "reserved octet of the QE report in use",
    "intel/quote-malformed",
    quote({ qe: [[100, 1]] }),
  );
  list.changed("quote cut by one octet", "intel/quote-malformed", ({ quote }) => ({
    quote: quote.subarray(0, -1),
  }));
  list.changed("quote of 200,000 octets", "intel/quote-limit", ({ quote }) => ({
    quote: new Uint8Array(Buffer.concat([quote, Buffer.alloc(200_000)])),
  }));
  list.changed("signature of zeros", "intel/quote-signature", ({ quote }) => ({
    quote: overwritten(quote, 436, new Uint8Array(64)),
  }));
  list.changed("report data changed after signing", "intel/quote-signature", ({ quote }) => ({
    quote: overwritten(quote, 48 + 320, Uint8Array.of(1)),
  }));
  list.changed("attestation key of zeros", "intel/qe-report-binding", ({ quote }) => ({
    quote: overwritten(quote, 500, new Uint8Array(64)),
  }));
  list.sgx(
    "QE report signed by another key",
    "intel/qe-report-signature",
    quote({ qeSigner: stranger }),
  );
  list.sgx(
    "QE report that binds another key",
    "intel/qe-report-binding",
    quote({ qeReportData: new Uint8Array(64) }),
  );
  list.changed("QE report data with a tail", "intel/qe-report-signature", ({ quote }) => ({
    quote: overwritten(quote, 564 + 320 + 32, Uint8Array.of(1)),
  }));
}

function addChains(
  list: Catalogue,
  intel: FakeIntel,
  stranger: EcParty,
  leafAuthority: EcParty,
): void {
  list.sgx("PCK of another name", "intel/pck-name", { pck: { name: "SIMULATED Server" } });
  list.sgx("PCK without SGX extensions", "intel/pck-malformed", { pck: { extensions: [] } });
  list.sgx("PCK without FMSPC", "intel/pck-malformed", { pck: { sgx: { without: 4 } } });
  const unknown = ["1.2.3.4", Uint8Array.of(5, 0), true] as const;
  const sgx = ["1.2.840.113741.1.13.1", encodeSgxExtension()] as const;
  list.sgx("PCK with a critical extension that is not known", "intel/pck-chain", {
    pck: { extensions: [sgx, unknown] },
  });
  list.sgx("PCK by an authority that is none", "intel/pck-chain", {
    pck: { issuer: leafAuthority },
  });
  list.sgx("expired PCK", "intel/pck-expired", { pck: { notAfter: PAST } });
  list.sgx("PCK of the future", "intel/pck-expired", { pck: { notBefore: FUTURE } });
  list.sgx("PCK signed by another key", "intel/pck-signature", { pck: { signer: stranger } });
  list.changed(
    "no PCK certificate",
    "intel/pck-missing",
    ({ collateral }) => ({ collateral: { ...collateral, pckChain: undefined } }),
    { ...SGX, chain: "ppid" },
  );
  list.sgx("garbage for a PCK chain", "intel/pck-malformed", {
    quote: { certification: { type: 5, data: new Uint8Array(100).fill(0x30) } },
  });
  list.sgx("certification data of type 7", "intel/pck-malformed", {
    quote: { certification: { type: 7, data: new Uint8Array(8) } },
  });
  list.sgx("chain without its root", "intel/pck-malformed", {
    path: [intel.root, intel.platformCa],
  });
  list.changed("another root", "intel/pck-chain", () => ({ roots: [] }));
  list.changed("a pinned root that signed nothing", "intel/pck-chain", ({ roots }) => ({
    roots: roots.map((root) => ({ ...root, commonName: "SIMULATED Other Root" })),
  }));
}

function addCrls(list: Catalogue, intel: FakeIntel, stranger: EcParty): void {
  const garbage = new Uint8Array(64).fill(0x30);
  list.collateral("no root CRL", "intel/root-crl-missing", () => ({ rootCrl: undefined }));
  list.collateral("no PCK CRL", "intel/pck-crl-missing", () => ({ pckCrl: undefined }));
  list.collateral("garbage for a root CRL", "intel/root-crl-malformed", () => ({
    rootCrl: garbage,
  }));
  list.collateral("garbage for a PCK CRL", "intel/pck-crl-malformed", () => ({ pckCrl: garbage }));
  list.sgx("root CRL signed by another key", "intel/root-crl-signature", {
    rootCrl: { signer: stranger },
  });
  list.sgx("PCK CRL signed by another key", "intel/pck-crl-signature", {
    pckCrl: { signer: stranger },
  });
  list.sgx("PCK CRL of the other authority", "intel/pck-crl-signature", {
    pckCrl: { issuer: intel.processorCa },
  });
  list.sgx("root CRL of the past", "intel/root-crl-stale", { rootCrl: { nextUpdate: PAST } });
  list.sgx("PCK CRL of the past", "intel/pck-crl-stale", { pckCrl: { nextUpdate: PAST } });
  list.sgx("PCK CRL of the future", "intel/pck-crl-stale", { pckCrl: { thisUpdate: FUTURE } });
  list.sgx("revoked PCK", "intel/revoked", { pckCrl: { revoked: ["0b1234"] } });
  list.sgx("revoked PCK authority", "intel/revoked", {
    rootCrl: { revoked: [intel.platformCa.serialNumber] },
  });
  list.sgx("revoked TCB signer", "intel/revoked", {
    rootCrl: { revoked: [intel.tcbSigner.serialNumber] },
  });
}

function addSignedJson(list: Catalogue, intel: FakeIntel, stranger: EcParty): void {
  for (const [part, name] of [
    ["tcbInfo", "tcb-info"],
    ["qeIdentity", "qe-identity"],
  ] as const) {
    const resigned = async (good: IntelEvidence, change: (text: string) => string) => {
      const text = change(good.collateral[part]!.text);
      const signature = await signText(intel.tcbSigner, text);
      return { collateral: { ...good.collateral, [part]: { text, signature } } };
    };
    list.collateral(`no ${part}`, `intel/${name}-missing`, () => ({ [part]: undefined }));
    list.collateral(`no chain of ${part}`, `intel/${name}-chain`, () => ({
      [`${part}IssuerChain`]: undefined,
    }));
    list.collateral(`${part} signed by a stranger's root`, `intel/${name}-chain`, () => ({
      [`${part}IssuerChain`]: [intel.tcbSigner.certificate, stranger.certificate],
    }));
    list.collateral(`${part} signed by a PCK authority`, `intel/${name}-chain`, () => ({
      [`${part}IssuerChain`]: [intel.platformCa.certificate, intel.root.certificate],
    }));
    list.collateral(`${part} with one space more`, `intel/${name}-signature`, (good) => ({
      [part]: { ...good[part]!, text: good[part]!.text.replace(",", ", ") },
    }));
    list.collateral(`${part} with a signature of zeros`, `intel/${name}-signature`, (good) => ({
      [part]: { ...good[part]!, signature: new Uint8Array(64) },
    }));
    list.collateral(`${part} with a signature of 63 octets`, `intel/${name}-signature`, (good) => ({
      [part]: { ...good[part]!, signature: good[part]!.signature.subarray(1) },
    }));
    list.sgx(`${part} of the past`, `intel/${name}-expired`, {
      [part]: { nextUpdate: "2026-05-31T00:00:00Z" },
    });
    list.sgx(`${part} of the future`, `intel/${name}-expired`, {
      [part]: { issueDate: "2026-06-02T00:00:00Z" },
    });
    const malformed = (what: string, change: (text: string) => string) =>
      list.changed(`${part} with ${what}`, `intel/${name}-malformed`, (good) =>
        resigned(good, change),
      );
    malformed("a key twice", (text) => text.replace('"version"', '"version":3,"version"'));
    malformed("a float", (text) => text.replace(/"tcbEvaluationDataNumber":\d+/, "$&.0"));
    malformed("a negative number", (text) => text.replace(/"tcbEvaluationDataNumber":/, "$&-"));
    malformed("an exponent", (text) => text.replace(/"tcbEvaluationDataNumber":\d+/, "$&e0"));
    malformed("an unknown status", (text) => text.replace('"UpToDate"', '"Fine"'));
    malformed("no levels", (text) => text.replace(/"tcbLevels":\[.*?\}\]/, '"tcbLevels":[]'));
    malformed("a day that is none", (text) => text.replace("2026-05-20", "2026-02-30"));
  }
}

function addIdentities(list: Catalogue): void {
  const mismatch = "intel/qe-identity-mismatch";
  list.sgx("TCB info of TDX", "intel/tcb-info-mismatch", { tcbInfo: { tee: "tdx" } });
  list.tdx("TCB info of SGX", "intel/tcb-info-mismatch", { tcbInfo: { tee: "sgx" } });
  list.sgx("TCB info of another FMSPC", "intel/tcb-info-mismatch", {
    tcbInfo: { fmspc: new Uint8Array(6) },
  });
  list.sgx("TCB info of another PCE-ID", "intel/tcb-info-mismatch", { tcbInfo: { pceId: "0001" } });
  list.sgx("identity of TD_QE", mismatch, { qeIdentity: { id: "TD_QE" } });
  list.tdx("identity of QE", mismatch, { qeIdentity: { id: "QE" } });
  list.sgx("QE of another signer", mismatch, { qeIdentity: { mrSigner: "00".repeat(32) } });
  list.sgx("QE of another product", mismatch, { qeIdentity: { isvProdId: 2 } });
  list.sgx("QE with other attributes", mismatch, {
    qeIdentity: { attributes: `31${"0".repeat(30)}` },
  });
  list.sgx("QE with other MISCSELECT", mismatch, { qeIdentity: { miscSelect: "01000000" } });
  list.sgx("debug QE", mismatch, { quote: { qe: [[48, 0x17]] } });
}

function addLevels(list: Catalogue): void {
  const unsupported = "intel/tcb-not-supported";
  const above = FAKE_COMPONENTS.map((svn, index) => (index === 4 ? svn + 1 : svn));
  const level = { status: "UpToDate" };
  list.sgx("component one below every level", unsupported, {
    tcbInfo: { levels: [{ ...level, components: above }] },
  });
  list.sgx("PCE one below every level", unsupported, {
    tcbInfo: { levels: [{ ...level, pceSvn: FAKE_PCE_SVN + 1 }] },
  });
  list.sgx("QE one below every level", unsupported, {
    qeIdentity: { levels: [{ ...level, svn: FAKE_QE_SVN + 1 }] },
  });
  list.sgx("revoked platform", "intel/tcb-revoked", {
    tcbInfo: { levels: [{ status: "Revoked" }] },
  });
  list.sgx("revoked QE", "intel/tcb-revoked", {
    qeIdentity: { levels: [{ svn: 1, status: "Revoked" }] },
  });
  list.tdx("TDX component one below every level", unsupported, {
    tcbInfo: { levels: [{ ...level, tdxComponents: [6, 1, 4, ...new Array(13).fill(0)] }] },
  });
  list.tdx("module one below every level", unsupported, {
    tcbInfo: { modules: { TDX_01: [{ ...level, svn: 7 }] } },
  });
  list.tdx("revoked module", "intel/tcb-revoked", {
    tcbInfo: { modules: { TDX_01: [{ svn: 1, status: "Revoked" }] } },
  });
  list.tdx("module of an unknown version", "tdx/module-unknown", {
    tcbInfo: { modules: { TDX_03: [{ ...level, svn: 1 }] } },
  });
  list.tdx("module of another signer", "tdx/module-mismatch", { quote: { bodyPatch: [[64, 1]] } });
  list.tdx("module with attributes", "tdx/module-mismatch", {
    quote: { bodyPatch: [[112, 1]] },
    tcbInfo: { moduleAttributes: `01${"0".repeat(14)}` },
  });
  list.tdx("module that runs now is below every level", unsupported, {
    quote: { teeTcbSvn2: [3, 1, 3, ...new Array(13).fill(0)] },
  });
}

function overwritten(bytes: Uint8Array, offset: number, octets: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy.set(octets, offset);
  return copy;
}
