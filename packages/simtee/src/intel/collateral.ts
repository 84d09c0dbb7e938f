/** Writes and signs Intel's JSON by hand: TCB info and QE identity (Intel PCS API, version 4). */
import type { EcParty } from "../certificates/ec-party.ts";
import { CURRENT_TCB, FMSPC, type SgxTcb } from "../simulated-tcb.ts";
import { QE_ISV_PROD_ID, QE_MR_SIGNER, QE_SVN } from "./quoting-enclave-identity.ts";

export interface PlatformLevel extends Partial<SgxTcb> {
  readonly tdxComponents?: readonly number[];
  readonly status: string;
  readonly date?: string;
  readonly advisories?: readonly string[];
}

export interface IsvLevel {
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
  /** RFC 3339, to the second. */
  readonly issueDate: string;
  readonly nextUpdate: string;
  readonly levels?: readonly PlatformLevel[];
  /** By module version. */
  readonly modules?: Readonly<Record<string, readonly IsvLevel[]>>;
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
  /** RFC 3339, to the second. */
  readonly issueDate: string;
  readonly nextUpdate: string;
  readonly levels?: readonly IsvLevel[];
}

const DATE = "2025-05-14T00:00:00Z";
/** Of TDX: octet 0 the module's security version, octet 1 its version. */
export const TEE_TCB_SVN: readonly number[] = [6, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const ZERO_SIGNER = "0".repeat(96);

export function encodeTcbInfo(options: TcbInfoOptions): string {
  const { tee, version = 3 } = options;
  const module = {
    mrsigner: options.moduleSigner ?? ZERO_SIGNER,
    attributes: options.moduleAttributes ?? "0".repeat(16),
  };
  const modules = options.modules ?? { TDX_01: [{ svn: 4, status: "UpToDate" }] };
  return JSON.stringify({
    ...(version === 3 ? { id: tee.toUpperCase() } : {}),
    version,
    issueDate: options.issueDate,
    nextUpdate: options.nextUpdate,
    fmspc: Buffer.from(options.fmspc ?? FMSPC).toString("hex"),
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

export function encodeQeIdentity(options: QeIdentityOptions): string {
  const { tee } = options;
  return JSON.stringify({
    id: options.id ?? (tee === "sgx" ? "QE" : "TD_QE"),
    version: 2,
    issueDate: options.issueDate,
    nextUpdate: options.nextUpdate,
    tcbEvaluationDataNumber: options.evaluationDataNumber ?? 18,
    miscselect: options.miscSelect ?? "00000000",
    miscselectMask: "FFFFFFFF",
    attributes: options.attributes ?? "15000000000000000000000000000000",
    attributesMask: "FBFFFFFFFFFFFFFF0000000000000000",
    mrsigner: options.mrSigner ?? Buffer.from(QE_MR_SIGNER).toString("hex"),
    isvprodid: options.isvProdId ?? QE_ISV_PROD_ID[tee],
    tcbLevels: (options.levels ?? [{ svn: QE_SVN, status: "UpToDate" }]).map(isvLevel),
  });
}

/** Signature over the UTF-8 of a text: r and s. */
export async function signText(signer: EcParty, text: string): Promise<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  return new Uint8Array(
    await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, signer.keys.privateKey, bytes),
  );
}

function level(one: PlatformLevel, tee: "sgx" | "tdx", version: 2 | 3) {
  const { components, pceSvn } = { ...CURRENT_TCB.sgx, ...one };
  const svns = (values: readonly number[]) => values.map((svn) => ({ svn }));
  const old = Object.fromEntries(
    components.map((svn, index) => [`sgxtcbcomp${String(index + 1).padStart(2, "0")}svn`, svn]),
  );
  return {
    tcb: {
      ...(version === 3 ? { sgxtcbcomponents: svns(components) } : old),
      pcesvn: pceSvn,
      ...(tee === "tdx" ? { tdxtcbcomponents: svns(one.tdxComponents ?? TEE_TCB_SVN) } : {}),
    },
    tcbDate: one.date ?? DATE,
    tcbStatus: one.status,
    ...(one.advisories === undefined ? {} : { advisoryIDs: one.advisories }),
  };
}

function isvLevel(one: IsvLevel) {
  return {
    tcb: { isvsvn: one.svn },
    tcbDate: one.date ?? DATE,
    tcbStatus: one.status,
    ...(one.advisories === undefined ? {} : { advisoryIDs: one.advisories }),
  };
}
