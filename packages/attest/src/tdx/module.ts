/**
 * The TDX module: is it Intel's, and how good is its version?
 *
 * Source: Intel Quote Verification Library, 4.1.2.5; Intel PCS API version 4, `tdxModule` and `tdxModuleIdentities`.
 */
import { equalBytes, isZero } from "@donjon/core/bytes";
import { encodeHex } from "@donjon/core/hex";
import type { CheckList } from "../check.ts";
import { findIsvLevel } from "../intel/evaluate-tcb.ts";
import { requireLevel } from "../intel/level-checks.ts";
import type { IsvTcbLevel, TcbInfo, TdxModuleIdentity } from "../intel/tcb-info.ts";
import type { TdReport } from "./claims.ts";

/** Requires that signer and attributes of the module are Intel's. */
export function requireModule(info: TcbInfo, td: TdReport, checks: CheckList): void {
  const version = td.teeTcbSvn[1]!;
  const module = version === 0 ? info.tdxModule : findModuleIdentity(info, version);
  checks.require(
    "tdx/module-unknown",
    module !== undefined,
    moduleId(version),
    module === undefined ? "no identity" : "an identity",
  );
  const signer = module!.mrSigner;
  checks.require(
    "tdx/module-mismatch",
    equalBytes(td.mrSignerSeam, signer),
    `MRSIGNERSEAM ${encodeHex(signer)}`,
    encodeHex(td.mrSignerSeam),
  );
  const attributes = encodeHex(td.seamAttributes);
  const good = isZero(td.seamAttributes) && equalBytes(td.seamAttributes, module!.attributes);
  checks.require(
    "tdx/module-mismatch",
    good,
    `SEAMATTRIBUTES zero and ${encodeHex(module!.attributes)}`,
    attributes,
  );
}

/** The level of the module that `teeTcbSvn` names; `undefined` for modules from before they had versions. */
export function requireModuleLevel(
  info: TcbInfo,
  teeTcbSvn: Uint8Array,
  checks: CheckList,
): IsvTcbLevel | undefined {
  const version = teeTcbSvn[1]!;
  if (version === 0) return undefined;
  const identity = findModuleIdentity(info, version);
  const level = identity && findIsvLevel(identity.levels, teeTcbSvn[0]!);
  return requireLevel(checks, `TDX module ${moduleId(version)}`, level);
}

function findModuleIdentity(info: TcbInfo, version: number): TdxModuleIdentity | undefined {
  const id = moduleId(version);
  // Some answers spell the digits in lower case.
  return info.tdxModuleIdentities.find((identity) => identity.id.toUpperCase() === id);
}

function moduleId(version: number): string {
  return `TDX_${version.toString(16).toUpperCase().padStart(2, "0")}`;
}
