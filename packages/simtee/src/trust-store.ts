/** Keeps a machine's trust beside its keys and renews it before its lists end. */
import { join } from "node:path";
import { encodeTrust, parseTrust, type SimulatedTrust } from "@donjon/attest/simulated-trust";
import { DonjonError } from "@donjon/core/errors";
import { importMachineKeys, type Machine, unusable } from "./machine.ts";
import { readPrivateFile, replacePrivateFile } from "./private-files.ts";
import { CURRENT_TCB, type SimulatedTcb } from "./simulated-tcb.ts";

const MAX_FILE_BYTES = 262_144;
/** What is handed out holds at least as long. */
const RENEW_BEFORE_MS = 10 * 86_400_000;

/** Whether `trust` need not be renewed; a clock that was set back makes it not yet valid. */
export function isFresh({ validFrom, validUntil }: SimulatedTrust, now: Date): boolean {
  const nowMs = now.getTime();
  return Date.parse(validFrom) <= nowMs && nowMs <= Date.parse(validUntil) - RENEW_BEFORE_MS;
}

/**
 * The trust beside the keys; issued and written when it is missing, near its end, or of other keys.
 * @throws DonjonError `files/read`, `files/write`
 */
export async function loadTrust(
  directory: string,
  machine: Machine,
  now: Date,
): Promise<SimulatedTrust> {
  const path = join(directory, "trust.json");
  const before = readTrust(path);
  if (before?.fingerprint === machine.fingerprint && isFresh(before, now)) return before;
  const trust = await makeTrust(machine, now);
  replacePrivateFile(path, encodeTrust(trust));
  return trust;
}

/** A new trust, of which nothing is written. @throws DonjonError `files/read` */
export async function makeTrust(
  machine: Machine,
  now: Date,
  tcb: SimulatedTcb = CURRENT_TCB,
): Promise<SimulatedTrust> {
  const keys = await importMachineKeys(machine);
  const { issueTrust } = await import("./issue-trust.ts");
  return issueTrust({ keys, chipId: machine.chipId }, now, tcb);
}

function readTrust(path: string): SimulatedTrust | undefined {
  const text = readPrivateFile(path, MAX_FILE_BYTES);
  try {
    return text === undefined ? undefined : parseTrust(text);
  } catch (cause) {
    if (!(cause instanceof DonjonError)) throw cause;
    const why = cause.cause instanceof Error ? cause.cause : cause;
    throw unusable(path, why, "remove it to have it written again");
  }
}
