/**
 * What was deployed from here: one small file for each Keep, so that the host cannot show another of the owner's Keeps
 * under a name. Files of this user; what cannot be read as a receipt is none.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AttestError } from "@donjon/attest/errors";
import type { KeepRecord } from "@donjon/client/agent/client";
import { makeDirectory } from "@donjon/host/files/make-directory";
import { stateDirectory } from "@donjon/host/image/places";

export interface Receipt {
  /** Address of the agent, as it was given. */
  readonly agent: string;
  readonly id: string;
  readonly name: string;
  /** SHA-256, lower-case hex, as the Keep proved them. */
  readonly manifest: string;
  readonly workload: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Receipts that are looked at. */
const MAX_RECEIPTS = 4096;
const MAX_RECEIPT_CHARACTERS = 4096;

function directory(): string {
  return join(stateDirectory(), "receipts");
}

/** A receipt that cannot be written is not missed now: the owner rule holds without it. */
export function saveReceipt(receipt: Receipt): void {
  try {
    makeDirectory(directory());
    const path = join(directory(), `${receipt.id}.json`);
    writeFileSync(path, `${JSON.stringify(receipt)}\n`, { mode: 0o600 });
  } catch {
    // A full or read-only disk ends no deployment.
  }
}

export function removeReceipt(id: string): void {
  rmSync(join(directory(), `${id}.json`), { force: true });
}

/**
 * The receipt for a Keep as somebody names it; `null` when it was not deployed from here.
 * @throws AttestError `evidence/refused`, reason `session/other`, when the agent has another Keep under this name
 */
export function findReceipt(agent: string, named: string, keep: KeepRecord): Receipt | null {
  const receipts = readReceipts().filter((receipt) => receipt.agent === agent);
  const [latest] = receipts.filter(({ name }) => name === named).sort((a, b) => b.at - a.at);
  if (latest !== undefined && latest.id !== keep.id && !keep.id.startsWith(named)) {
    throw new AttestError(
      "evidence/refused",
      "session/other",
      `Cannot accept this Keep: found ${keep.id} under the name '${named}', wanted ${latest.id}, which was deployed from here; if it was replaced from elsewhere, name it by its id`,
    );
  }
  return receipts.find(({ id }) => id === keep.id) ?? null;
}

function readReceipts(): Receipt[] {
  try {
    return readdirSync(directory())
      .slice(0, MAX_RECEIPTS)
      .flatMap((name) => readReceipt(join(directory(), name)) ?? []);
  } catch {
    return [];
  }
}

function readReceipt(path: string): Receipt | null {
  try {
    const text = readFileSync(path, "utf8").slice(0, MAX_RECEIPT_CHARACTERS);
    const receipt = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const texts = ["agent", "id", "name", "manifest", "workload"];
    const isWhole =
      texts.every((key) => typeof receipt[key] === "string") && typeof receipt["at"] === "number";
    return isWhole ? (receipt as unknown as Receipt) : null;
  } catch {
    return null;
  }
}
