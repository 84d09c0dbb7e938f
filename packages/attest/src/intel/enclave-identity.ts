/**
 * QE identity: which quoting enclave Intel vouches for.
 *
 * Source: Intel PCS API version 4, "Get Quoting Enclave Identity"; version 1 of the structure from API version 1.
 */

import { DonjonError } from "@donjon/core/errors";
import { encodeHex } from "@donjon/core/hex";
import type { Quote } from "./quote.ts";
import { parseStrictJson } from "./strict-json.ts";
import { type IsvTcbLevel, readIsvLevels } from "./tcb-info.ts";

export type EnclaveId = "QE" | "TD_QE" | "QVE";
const ENCLAVE_IDS: readonly string[] = ["QE", "TD_QE", "QVE"] satisfies EnclaveId[];

export interface EnclaveIdentity {
  readonly version: 1 | 2;
  readonly id: EnclaveId;
  readonly issueDateMs: number;
  readonly nextUpdateMs: number;
  readonly evaluationDataNumber: number | undefined;
  readonly miscSelect: number;
  readonly miscSelectMask: number;
  readonly attributes: Uint8Array;
  readonly attributesMask: Uint8Array;
  readonly mrSigner: Uint8Array;
  readonly isvProdId: number;
  readonly levels: readonly IsvTcbLevel[];
}

/** Reads the `enclaveIdentity` object (not the answer around it). Throws DonjonError `bytes/*`. */
export function parseEnclaveIdentity(text: string): EnclaveIdentity {
  const json = parseStrictJson(text);
  const version = json.integer("version", 2);
  if (version !== 1 && version !== 2) throw invalid(`version ${version}`, "1 or 2");
  const id = version === 1 ? "QE" : json.string("id");
  if (!ENCLAVE_IDS.includes(id)) throw invalid(`id '${id.slice(0, 16)}'`, ENCLAVE_IDS.join(", "));
  return {
    version,
    id: id as EnclaveId,
    issueDateMs: json.timeMs("issueDate"),
    nextUpdateMs: json.timeMs("nextUpdate"),
    evaluationDataNumber:
      version === 1 ? undefined : json.integer("tcbEvaluationDataNumber", 0xffff_ffff),
    miscSelect: readU32(json.hex("miscselect", 4)),
    miscSelectMask: readU32(json.hex("miscselectMask", 4)),
    attributes: json.hex("attributes", 16),
    attributesMask: json.hex("attributesMask", 16),
    mrSigner: json.hex("mrsigner", 32),
    isvProdId: json.integer("isvprodid", 0xffff),
    levels:
      version === 1
        ? [
            {
              isvSvn: json.integer("isvsvn", 0xffff),
              status: "UpToDate",
              tcbDateMs: undefined,
              advisoryIds: [],
            },
          ]
        : readIsvLevels(json),
  };
}

/**
 * The first thing in which a quoting enclave's report differs from the identity, masks applied, or `undefined`. Its
 * security version is looked at with the TCB levels.
 */
export function identityMismatch(
  identity: EnclaveIdentity,
  report: Quote["qeReport"],
): string | undefined {
  const mask = identity.miscSelectMask;
  if (((report.miscSelect & mask) ^ (identity.miscSelect & mask)) !== 0) {
    return `MISCSELECT ${report.miscSelect}`;
  }
  for (const [index, octet] of report.attributes.entries()) {
    if (((octet ^ identity.attributes[index]!) & identity.attributesMask[index]!) !== 0) {
      return `ATTRIBUTES ${encodeHex(report.attributes)}`;
    }
  }
  const mrSigner = encodeHex(report.mrSigner);
  if (mrSigner !== encodeHex(identity.mrSigner)) return `MRSIGNER ${mrSigner}`;
  return report.isvProdId === identity.isvProdId ? undefined : `ISVPRODID ${report.isvProdId}`;
}

/** The octets as they stand in the report, so little-endian, as Intel's own sample set has it; all real values are zero. */
function readU32(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
}

function invalid(found: string, wanted: string): DonjonError {
  return new DonjonError(
    "bytes/invalid",
    `Cannot read QE identity: found ${found}, wanted ${wanted}`,
  );
}
