/**
 * Sessions with Keeps that have proved what they are.
 *
 * ```ts
 * const identity = createClientIdentity(Date.now());
 * const verify = createVerifier({ policy, endorsements: [fetchedEndorsements(source)] });
 * const session = await openAttestedSession(gate.openSession(), { identity, verify, expect: "new" });
 * console.log(explain(session.statement.appraisal));
 * const run = session.provision({ manifest, workload, secrets, trees: [] });
 * ```
 */
import { randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import { encodeHex } from "@donjon/core/hex";
import { BINDING_VALUE_BYTES } from "@donjon/protocol/attestation/binding";
import { openSession, type Session } from "../session.ts";
import { withDeadline } from "./deadline.ts";
import type { ClientIdentity } from "./identity.ts";
import {
  type ExpectedKeep,
  type KeepStatement,
  requireExpected,
  type Verifier,
  verifyStatement,
} from "./statement.ts";
import { type SecuredChannel, secureStream } from "./tls.ts";

export type { ExpectedKeep, KeepStatement, Verifier } from "./statement.ts";

export interface AttestedSessionOptions {
  /** The key that will own the Keep, or owns it already. */
  readonly identity: ClientIdentity;
  readonly verify: Verifier;
  readonly expect: ExpectedKeep;
  /** Gives up: the stream is closed and the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Milliseconds for everything up to the accepted evidence; `DEFAULT_TIMEOUT_MS` unless said. The same for `attest`. */
  readonly timeoutMs?: number;
  /** Called as each phase of opening is over; for figures. */
  readonly onPhase?: (phase: AttestationPhase) => void;
}

export type AttestationPhase = "tls" | "evidence" | "verify";

export const DEFAULT_TIMEOUT_MS = 60_000;

export interface AttestedSession extends Session {
  /** What the Keep proved when the session was opened. */
  readonly statement: KeepStatement;
  /**
   * Asks again, at any time, also while the workload runs. Rejects as `openAttestedSession` does; evidence that is
   * not accepted ends the session.
   */
  attest(): Promise<KeepStatement>;
}

/**
 * Opens a session on a stream that `Gate.openSession` or a tunnel gave. Resolves only when the Keep's evidence speaks
 * for this very session, is genuine and is accepted; until then nothing but a nonce has been sent. Any failure
 * closes the stream.
 *
 * Rejects with `AttestError` (`evidence/malformed`, `evidence/refused`), or with a DonjonError: `session/closed`,
 * `session/timeout`, `session/protocol`, the Keep's own failure, or what the verifier's endorsements failed with.
 */
export async function openAttestedSession(
  stream: Duplex,
  options: AttestedSessionOptions,
): Promise<AttestedSession> {
  const { identity, verify, expect, signal, timeoutMs = DEFAULT_TIMEOUT_MS, onPhase } = options;
  // Streams tell their errors to the session once there is one; until then nobody may die of them.
  stream.on("error", () => {});
  const open = async (): Promise<AttestedSession> => {
    const channel = await secureStream(stream, identity);
    onPhase?.("tls");
    const session = openSession(channel.stream);
    const statement = await askStatement(session, channel, verify, onPhase);
    await session.hello;
    requireExpected(statement, expect);
    return {
      ...session,
      statement,
      attest() {
        const ask = () => askStatement(session, channel, verify);
        return withDeadline(ask, timeoutMs, undefined, () => session.close());
      },
    };
  };
  return withDeadline(open, timeoutMs, signal, () => stream.destroy());
}

async function askStatement(
  session: Session,
  { exporter, key }: SecuredChannel,
  verify: Verifier,
  onPhase?: AttestedSessionOptions["onPhase"],
): Promise<KeepStatement> {
  const nonce = randomBytes(BINDING_VALUE_BYTES);
  const cmw = await session.askEvidence(nonce);
  onPhase?.("evidence");
  const statement = await verifyStatement(cmw, { nonce, exporter, key }, verify);
  onPhase?.("verify");
  return statement;
}

/** For `expect`: a Keep whose owner is this identity. */
export function ownedBy(identity: ClientIdentity): { readonly owner: string } {
  return { owner: encodeHex(identity.digest) };
}
