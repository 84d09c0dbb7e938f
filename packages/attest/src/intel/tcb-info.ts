/**
 * TCB info: which security versions of a platform are good, and how good.
 *
 * Source: Intel PCS API version 4, "Get TCB Info"; versions 1 and 2 of the structure from API versions 1 to 3.
 */
import { DonjonError } from "@donjon/core/errors";
import type { TeeType } from "./quote.ts";
import { type JsonObject, parseStrictJson } from "./strict-json.ts";
import { type ListedTcbStatus, parseTcbStatus } from "./tcb-status.ts";

/** Most levels of one list; Intel publishes up to 25. */
const MAX_LEVELS = 256;
/** Most advisories of one level. */
const MAX_ADVISORIES = 256;
const COMPONENTS = 16;

export interface TcbLevel {
  readonly sgxComponents: Uint8Array;
  readonly pceSvn: number;
  /** TDX only. */
  readonly tdxComponents: Uint8Array | undefined;
  readonly status: ListedTcbStatus;
  /** Absent in version 1. */
  readonly tcbDateMs: number | undefined;
  readonly advisoryIds: readonly string[];
}

/** A level of something with one security version: an enclave or a TDX module. */
export interface IsvTcbLevel {
  readonly isvSvn: number;
  readonly status: ListedTcbStatus;
  readonly tcbDateMs: number | undefined;
  readonly advisoryIds: readonly string[];
}

export interface TdxModule {
  readonly mrSigner: Uint8Array;
  readonly attributes: Uint8Array;
}

export interface TdxModuleIdentity extends TdxModule {
  /** `TDX_` and the module's version in two hexadecimal digits. */
  readonly id: string;
  readonly levels: readonly IsvTcbLevel[];
}

export interface TcbInfo {
  readonly version: 1 | 2 | 3;
  readonly tee: TeeType;
  readonly issueDateMs: number;
  readonly nextUpdateMs: number;
  readonly fmspc: Uint8Array;
  /** Absent in the oldest. */
  readonly pceId: Uint8Array | undefined;
  /** Absent in version 1. */
  readonly evaluationDataNumber: number | undefined;
  readonly levels: readonly TcbLevel[];
  /** TDX only. */
  readonly tdxModule: TdxModule | undefined;
  readonly tdxModuleIdentities: readonly TdxModuleIdentity[];
}

/** Reads the `tcbInfo` object (not the answer around it). Throws DonjonError `bytes/*`. */
export function parseTcbInfo(text: string): TcbInfo {
  const json = parseStrictJson(text);
  const version = json.integer("version", 3);
  if (version !== 1 && version !== 2 && version !== 3)
    throw invalid(`version ${version}`, "1, 2 or 3");
  const tee = version === 3 ? readTee(json) : "sgx";
  if (version !== 1 && json.integer("tcbType", 1) !== 0) throw invalid("tcbType 1", "0");
  const read = { tee, version } as const;
  return {
    version,
    tee,
    issueDateMs: json.timeMs("issueDate"),
    nextUpdateMs: json.timeMs("nextUpdate"),
    fmspc: json.hex("fmspc", 6),
    pceId: version === 3 || json.has("pceId") ? json.hex("pceId", 2) : undefined,
    evaluationDataNumber:
      version === 1 ? undefined : json.integer("tcbEvaluationDataNumber", 0xffff_ffff),
    levels: boundedLevels(json, "tcbLevels").map((level) => readLevel(level, read)),
    tdxModule: tee === "tdx" ? readModule(json.object("tdxModule")) : undefined,
    tdxModuleIdentities:
      tee === "tdx" && json.has("tdxModuleIdentities")
        ? json.objects("tdxModuleIdentities").map(readModuleIdentity)
        : [],
  };
}

/** The `tcbLevels` of an enclave identity or a TDX module identity. */
export function readIsvLevels(json: JsonObject): readonly IsvTcbLevel[] {
  return boundedLevels(json, "tcbLevels").map((level) => ({
    isvSvn: level.object("tcb").integer("isvsvn", 0xffff),
    ...readVerdict(level, 2),
  }));
}

function readTee(json: JsonObject): TeeType {
  const id = json.string("id");
  if (id === "SGX") return "sgx";
  if (id === "TDX") return "tdx";
  throw invalid(`id '${id.slice(0, 16)}'`, "SGX or TDX");
}

function readLevel(json: JsonObject, { tee, version }: Pick<TcbInfo, "tee" | "version">): TcbLevel {
  const tcb = json.object("tcb");
  return {
    sgxComponents: version === 3 ? readComponents(tcb, "sgxtcbcomponents") : readOldComponents(tcb),
    pceSvn: tcb.integer("pcesvn", 0xffff),
    tdxComponents: tee === "tdx" ? readComponents(tcb, "tdxtcbcomponents") : undefined,
    ...readVerdict(json, version),
  };
}

function readVerdict(json: JsonObject, version: number): Omit<IsvTcbLevel, "isvSvn"> {
  const advisoryIds = json.strings("advisoryIDs");
  if (advisoryIds.length > MAX_ADVISORIES)
    throw invalid(`${advisoryIds.length} advisories`, `at most ${MAX_ADVISORIES}`);
  return {
    status: parseTcbStatus(json.string(version === 1 ? "status" : "tcbStatus")),
    tcbDateMs: version === 1 ? undefined : json.timeMs("tcbDate"),
    advisoryIds,
  };
}

function readComponents(tcb: JsonObject, name: string): Uint8Array {
  const components = tcb.objects(name);
  if (components.length !== COMPONENTS)
    throw invalid(`${components.length} ${name}`, `${COMPONENTS}`);
  return Uint8Array.from(components, (component) => component.integer("svn", 0xff));
}

function readOldComponents(tcb: JsonObject): Uint8Array {
  return Uint8Array.from({ length: COMPONENTS }, (_, index) =>
    tcb.integer(`sgxtcbcomp${String(index + 1).padStart(2, "0")}svn`, 0xff),
  );
}

function readModule(json: JsonObject): TdxModule {
  return { mrSigner: json.hex("mrsigner", 48), attributes: json.hex("attributes", 8) };
}

function readModuleIdentity(json: JsonObject): TdxModuleIdentity {
  return { id: json.string("id"), ...readModule(json), levels: readIsvLevels(json) };
}

function boundedLevels(json: JsonObject, name: string): readonly JsonObject[] {
  const levels = json.objects(name);
  if (levels.length === 0 || levels.length > MAX_LEVELS)
    throw invalid(`${levels.length} ${name}`, `1 to ${MAX_LEVELS}`);
  return levels;
}

function invalid(found: string, wanted: string): DonjonError {
  return new DonjonError("bytes/invalid", `Cannot read TCB info: found ${found}, wanted ${wanted}`);
}
