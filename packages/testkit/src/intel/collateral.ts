/** Writes and signs Intel's JSON by hand: TCB info, QE identity, and the bundle that holds them all. */
import type { EcParty } from "../ecdsa-authority.ts";
import { FAKE_QE_SIGNER, FAKE_QE_SVN, FAKE_TEE_TCB_SVN } from "./quote.ts";
import { FAKE_COMPONENTS, FAKE_FMSPC, FAKE_PCE_SVN } from "./sgx-extension.ts";

export interface FakeLevel {
  readonly components?: readonly number[];
  readonly pceSvn?: number;
  readonly tdxComponents?: readonly number[];
  readonly status: string;
  readonly date?: string;
  readonly advisories?: readonly string[];
}

export interface FakeIsvLevel {
  readonly svn: number;
  readonly status: string;
  readonly date?: string;
  readonly advisories?: readonly string[];
}

export interface TcbInfoOptions {
  readonly tee: "sgx" | "tdx";
  readonly version?: 2 | 3;
  readonly fmspc?: Uint8Array;
  readonly pceId?: string;
  readonly evaluationDataNumber?: number;
  readonly issueDate?: string;
  readonly nextUpdate?: string;
  readonly levels?: readonly FakeLevel[];
  /** By module version. */
  readonly modules?: Readonly<Record<string, readonly FakeIsvLevel[]>>;
  readonly moduleSigner?: string;
  readonly moduleAttributes?: string;
}

export interface QeIdentityOptions {
  readonly tee: "sgx" | "tdx";
  readonly id?: string;
  readonly mrSigner?: string;
  readonly isvProdId?: number;
  readonly miscSelect?: string;
  readonly attributes?: string;
  readonly evaluationDataNumber?: number;
  readonly issueDate?: string;
  readonly nextUpdate?: string;
  readonly levels?: readonly FakeIsvLevel[];
}

const ISSUED = "2026-05-20T00:00:00Z";
const NEXT = "2026-06-19T00:00:00Z";
const DATE = "2025-05-14T00:00:00Z";
const ZERO_SIGNER = "0".repeat(96);

export function tcbInfoText(options: TcbInfoOptions): string {
  const { tee, version = 3 } = options;
  const module = {
    mrsigner: options.moduleSigner ?? ZERO_SIGNER,
    attributes: options.moduleAttributes ?? "0".repeat(16),
  };
  const modules = options.modules ?? { TDX_01: [{ svn: 4, status: "UpToDate" }] };
  return JSON.stringify({
    ...(version === 3 ? { id: tee.toUpperCase() } : {}),
    version,
    issueDate: options.issueDate ?? ISSUED,
    nextUpdate: options.nextUpdate ?? NEXT,
    fmspc: Buffer.from(options.fmspc ?? FAKE_FMSPC).toString("hex"),
    pceId: options.pceId ?? "0000",
    tcbType: 0,
    tcbEvaluationDataNumber: options.evaluationDataNumber ?? 19,
    ...(tee === "tdx"
      ? {
          tdxModule: { ...module, attributesMask: "F".repeat(16) },
          tdxModuleIdentities: Object.entries(modules).map(([id, levels]) => ({
            id,
            ...module,
            attributesMask: "F".repeat(16),
            tcbLevels: levels.map(isvLevel),
          })),
        }
      : {}),
    tcbLevels: (options.levels ?? [{ status: "UpToDate" }]).map((one) => level(one, tee, version)),
  });
}

export function qeIdentityText(options: QeIdentityOptions): string {
  const { tee } = options;
  return JSON.stringify({
    id: options.id ?? (tee === "sgx" ? "QE" : "TD_QE"),
    version: 2,
    issueDate: options.issueDate ?? ISSUED,
    nextUpdate: options.nextUpdate ?? NEXT,
    tcbEvaluationDataNumber: options.evaluationDataNumber ?? 18,
    miscselect: options.miscSelect ?? "00000000",
    miscselectMask: "FFFFFFFF",
    attributes: options.attributes ?? "15000000000000000000000000000000",
    attributesMask: "FBFFFFFFFFFFFFFF0000000000000000",
    mrsigner: options.mrSigner ?? Buffer.from(FAKE_QE_SIGNER).toString("hex"),
    isvprodid: options.isvProdId ?? (tee === "sgx" ? 1 : 2),
    tcbLevels: (options.levels ?? [{ svn: FAKE_QE_SVN, status: "UpToDate" }]).map(isvLevel),
  });
}

/** Signature over the UTF-8 of a text: r and s. */
export async function signText(signer: EcParty, text: string): Promise<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  return new Uint8Array(
    await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, signer.keys.privateKey, bytes),
  );
}

function level(one: FakeLevel, tee: "sgx" | "tdx", version: 2 | 3) {
  const components = one.components ?? FAKE_COMPONENTS;
  const svns = (values: readonly number[]) => values.map((svn) => ({ svn }));
  const old = Object.fromEntries(
    components.map((svn, index) => [`sgxtcbcomp${String(index + 1).padStart(2, "0")}svn`, svn]),
  );
  return {
    tcb: {
      ...(version === 3 ? { sgxtcbcomponents: svns(components) } : old),
      pcesvn: one.pceSvn ?? FAKE_PCE_SVN,
      ...(tee === "tdx" ? { tdxtcbcomponents: svns(one.tdxComponents ?? FAKE_TEE_TCB_SVN) } : {}),
    },
    tcbDate: one.date ?? DATE,
    tcbStatus: one.status,
    ...(one.advisories === undefined ? {} : { advisoryIDs: one.advisories }),
  };
}

function isvLevel(one: FakeIsvLevel) {
  return {
    tcb: { isvsvn: one.svn },
    tcbDate: one.date ?? DATE,
    tcbStatus: one.status,
    ...(one.advisories === undefined ? {} : { advisoryIDs: one.advisories }),
  };
}
