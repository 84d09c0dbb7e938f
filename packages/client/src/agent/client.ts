/**
 * The relying party's end of an agent's HTTP API. The agent is the host: what it says is read strictly and limited, and
 * nothing it says is evidence of anything.
 *
 * ```ts
 * const agent = connectAgent("unix:/run/user/1000/donjon/agent.sock");
 * const keep = await agent.createKeep({ name: "web" });
 * const stream = await agent.openSession(keep.id);
 * ```
 */
import type { Duplex } from "node:stream";
import type { AgentPlatform, KeepRecord, KeepRequest } from "@donjon/protocol/agent/keep-record";

export type {
  AgentBackendName,
  AgentKeepState,
  AgentPlatform,
  EndReason,
  KeepEndRecord,
  KeepLimits,
  KeepListener,
  KeepRecord,
  KeepRequest,
} from "@donjon/protocol/agent/keep-record";

export interface AgentTls {
  /** PEM of the authorities to trust; the machine's when not given. */
  readonly ca?: string;
  /** PEM of this client's certificate and key, for an agent that wants one. */
  readonly certificate?: string;
  readonly key?: string;
}

export interface AgentOptions {
  /** As `donjon agent token add` printed it. */
  readonly token?: string;
  readonly tls?: AgentTls;
  /** Time for an answer to begin and to end; 30 s when not given. Creating a Keep has 120 s. */
  readonly timeoutMs?: number;
}

/** `limits` that are not given are the caller's own limits at the agent. */
export type NewKeep = Partial<Omit<KeepRequest, "limits">> & {
  readonly limits?: Partial<KeepRequest["limits"]>;
};

/**
 * `keep` is an id, a name, or the beginning of an id that no other of the caller's Keeps has.
 *
 * Every call rejects with a `DonjonError`: `agent/unreachable` (nobody answers; the sentence says how to start an agent),
 * `agent/unauthorized`, `agent/forbidden`, `agent/limit`, `agent/not-found`, `agent/conflict`, `agent/protocol` (the answer
 * is not one), or the code of what failed at the host.
 */
export interface AgentClient {
  /** The address that was given. */
  readonly address: string;
  createKeep(keep: NewKeep): Promise<KeepRecord>;
  listKeeps(): Promise<readonly KeepRecord[]>;
  getKeep(keep: string): Promise<KeepRecord>;
  /** Ends the Keep and removes every trace of it. */
  removeKeep(keep: string): Promise<void>;
  /** Ends the Keep; its record stays. */
  stopKeep(keep: string): Promise<KeepRecord>;
  /** Lines of the Keep's own runtime, never of the workload. */
  readConsole(keep: string): Promise<readonly string[]>;
  /**
   * A stream to the Keep's `session`; `bare`: to its session without TLS and evidence, which a Keep that hardware protects
   * refuses. Several may be open at once.
   */
  openSession(keep: string, options?: { readonly bare?: boolean }): Promise<Duplex>;
  getPlatform(): Promise<AgentPlatform>;
  /**
   * Public roots of the host's simulated security processor, a text for `parseTrust` of `@donjon/attest/simulated-trust`.
   * To be used only for a Keep that was asked for without protection.
   */
  getSimulatedTrust(): Promise<string>;
}
