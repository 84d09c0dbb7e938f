/**
 * Intel's TCB statuses, and what several of them say together.
 *
 * Source: Intel PCS API version 4, "TCB info"; Intel Quote Verification Library, 4.1.2.5.
 */
import { DonjonError } from "@donjon/core/errors";

export const TCB_STATUSES = [
  "UpToDate",
  "SWHardeningNeeded",
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
  "OutOfDate",
  "OutOfDateConfigurationNeeded",
  "Revoked",
] as const;

/** As Intel writes it in TCB infos and identities. */
export type ListedTcbStatus = (typeof TCB_STATUSES)[number];

/** As a verification ends: the two more are for TDs that were launched before an update of the platform. */
export type TcbStatus =
  | ListedTcbStatus
  | "TDRelaunchAdvised"
  | "TDRelaunchAdvisedConfigurationNeeded";

export function parseTcbStatus(text: string): ListedTcbStatus {
  const status = TCB_STATUSES.find((one) => one === text);
  if (status !== undefined) return status;
  throw new DonjonError(
    "bytes/invalid",
    `TCB status is '${text.slice(0, 64)}', wanted one of ${TCB_STATUSES.join(", ")}`,
  );
}

/** What a component (quoting enclave, TDX module) makes of the platform's status. */
export function convergeTcbStatus(
  platform: ListedTcbStatus,
  component: ListedTcbStatus,
): ListedTcbStatus {
  if (component === "Revoked" || platform === "Revoked") return "Revoked";
  if (component !== "OutOfDate" && component !== "OutOfDateConfigurationNeeded") return platform;
  switch (platform) {
    case "UpToDate":
    case "SWHardeningNeeded":
      return "OutOfDate";
    case "ConfigurationNeeded":
    case "ConfigurationAndSWHardeningNeeded":
      return "OutOfDateConfigurationNeeded";
    default:
      return platform;
  }
}

const NEEDS_CONFIGURATION: ReadonlySet<string> = new Set([
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
  "OutOfDateConfigurationNeeded",
]);
const CURRENT: ReadonlySet<string> = new Set([
  "UpToDate",
  "SWHardeningNeeded",
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
]);

/** A TD that was launched on an out-of-date platform which is up to date now: launching again is enough. */
export function relaunchTcbStatus(launch: ListedTcbStatus, now: ListedTcbStatus): TcbStatus {
  const old = launch === "OutOfDate" || launch === "OutOfDateConfigurationNeeded";
  if (!old || !CURRENT.has(now)) return launch;
  const configuration = NEEDS_CONFIGURATION.has(launch) || NEEDS_CONFIGURATION.has(now);
  return configuration ? "TDRelaunchAdvisedConfigurationNeeded" : "TDRelaunchAdvised";
}
