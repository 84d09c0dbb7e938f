/**
 * Which TCB levels apply. Levels are taken in the order that Intel lists them, highest first.
 *
 * Source: Intel Quote Verification Library, 4.1.2.5; Intel PCS API version 4, "Get TCB Info".
 */

import type { TcbClaims } from "./claims.ts";
import type { EnclaveIdentity } from "./enclave-identity.ts";
import type { PckExtension } from "./pck-extension.ts";
import type { IsvTcbLevel, TcbInfo, TcbLevel } from "./tcb-info.ts";
import { convergeTcbStatus, type ListedTcbStatus, type TcbStatus } from "./tcb-status.ts";

/**
 * The first level that the platform reaches in every component.
 *
 * @param teeTcbSvn of the TD; `undefined` for SGX
 */
export function findTcbLevel(
  info: TcbInfo,
  pck: PckExtension,
  teeTcbSvn?: Uint8Array,
): TcbLevel | undefined {
  // With a module version, the first two octets are the module's own security version and number: its identity rules them.
  const from = teeTcbSvn !== undefined && teeTcbSvn[1]! > 0 ? 2 : 0;
  return info.levels.find(
    (level) =>
      reaches(pck.tcbComponents, level.sgxComponents, 0) &&
      pck.pceSvn >= level.pceSvn &&
      (teeTcbSvn === undefined ||
        (level.tdxComponents !== undefined && reaches(teeTcbSvn, level.tdxComponents, from))),
  );
}

/** The first level that a security version reaches. */
export function findIsvLevel(
  levels: readonly IsvTcbLevel[],
  isvSvn: number,
): IsvTcbLevel | undefined {
  return levels.find((level) => isvSvn >= level.isvSvn);
}

/** The levels of one evaluation. */
export interface AppliedLevels {
  readonly platform: TcbLevel;
  readonly qe: IsvTcbLevel | undefined;
  readonly module: IsvTcbLevel | undefined;
}

export function convergeLevels({ platform, qe, module }: AppliedLevels): ListedTcbStatus {
  let status = platform.status;
  if (module !== undefined) status = convergeTcbStatus(status, module.status);
  if (qe !== undefined) status = convergeTcbStatus(status, qe.status);
  return status;
}

/** Puts the levels that apply into one statement. */
export function summarizeTcb(
  status: TcbStatus,
  levels: AppliedLevels,
  info: TcbInfo,
  identity: EnclaveIdentity | undefined,
  expiresMs: number,
): TcbClaims {
  const all = [levels.platform, levels.qe, levels.module].filter((level) => level !== undefined);
  const dates = all.map((level) => level.tcbDateMs).filter((date) => date !== undefined);
  const numbers = [info, identity]
    .map((one) => one?.evaluationDataNumber)
    .filter((number) => number !== undefined);
  return {
    status,
    platformStatus: levels.platform.status,
    qeStatus: levels.qe?.status,
    moduleStatus: levels.module?.status,
    advisoryIds: [...new Set(all.flatMap((level) => level.advisoryIds))].sort(),
    tcbDate: dates.length === 0 ? undefined : new Date(Math.min(...dates)),
    evaluationDataNumber: numbers.length === 0 ? undefined : Math.min(...numbers),
    expires: new Date(expiresMs),
  };
}

function reaches(found: Uint8Array, wanted: Uint8Array, from: number): boolean {
  return wanted.every((svn, index) => index < from || found[index]! >= svn);
}
