/** An attested session with a Keep at an agent: what every command that talks to a running Keep starts with. */
import type { AgentClient, KeepRecord } from "@donjon/client/agent/client";
import type { ClientIdentity } from "@donjon/client/attested/identity";
import {
  type AttestationPhase,
  type AttestedSession,
  openAttestedSession,
  ownedBy,
} from "@donjon/client/attested/open";
import type { ExpectedKeep } from "@donjon/client/attested/statement";
import { DonjonError } from "@donjon/core/errors";
import { openOwner } from "../identity/owner.ts";
import { createTrust, type Trust } from "../trust/trust.ts";
import { openAgent } from "./connect.ts";
import type { AgentFlags, EvidenceFlags } from "./options.ts";
import { findReceipt } from "./receipts.ts";

export interface KeepSession {
  readonly agent: AgentClient;
  /** What the host says; none of it is proved. */
  readonly keep: KeepRecord;
  readonly trust: Trust;
  readonly identity: ClientIdentity;
  readonly session: AttestedSession;
}

export type KeepFlags = AgentFlags & EvidenceFlags;

/** For `expect`: this user's Keep, and nobody else's. */
export const MINE = "mine";

/**
 * @param name a Keep's name, its id, or the beginning of its id
 * @throws DonjonError `keep/state` for a Keep that has ended, and what trust and session fail with
 */
export async function openKeepSession(
  name: string,
  flags: KeepFlags,
  expect: ExpectedKeep | typeof MINE,
): Promise<KeepSession> {
  const agent = openAgent(flags);
  const keep = await agent.getKeep(name);
  if (keep.state !== "running") throw notRunning(keep);
  const trust = await createTrust(flags, keep, () => agent.getSimulatedTrust());
  const identity = openOwner(flags.identity);
  const receipt = findReceipt(agent.address, name, keep);
  const deployed = receipt && { manifest: receipt.manifest, workload: receipt.workload };
  const wanted = expect === MINE ? { ...ownedBy(identity), ...deployed } : expect;
  const session = await openSessionAt(agent, keep, { trust, identity, expect: wanted });
  return { agent, keep, trust, identity, session };
}

export interface SessionChoice {
  readonly trust: Trust;
  readonly identity: ClientIdentity;
  readonly expect: ExpectedKeep;
  readonly signal?: AbortSignal;
  readonly onPhase?: (phase: AttestationPhase) => void;
}

export async function openSessionAt(
  agent: AgentClient,
  keep: KeepRecord,
  { trust, ...rest }: SessionChoice,
): Promise<AttestedSession> {
  const stream = await agent.openSession(keep.id);
  return openAttestedSession(stream, { verify: trust.verify, ...rest });
}

function notRunning({ name, state, end }: KeepRecord): DonjonError {
  const why = end === null ? "" : ` (${end.reason}: ${end.detail})`;
  return new DonjonError(
    "keep/state",
    `the Keep '${name}' is ${state}${why}, so it cannot be asked anything; 'donjon ps' lists those that run`,
  );
}
