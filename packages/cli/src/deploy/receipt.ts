/** After provisioning: the Keep proves once more what it is, and now also what it was given and by whom. */
import { AttestError } from "@donjon/attest/errors";
import type { ClientIdentity } from "@donjon/client/attested/identity";
import { type AttestedSession, ownedBy } from "@donjon/client/attested/open";
import { type KeepStatement, requireExpected } from "@donjon/client/attested/statement";
import { DonjonError } from "@donjon/core/errors";
import { hashSha256 } from "../run/digest.ts";
import type { RunCompanion } from "../run/execute.ts";
import type { Prepared } from "../run/prepare.ts";
import { writeProof } from "../trust/proof.ts";
import type { Trust } from "../trust/trust.ts";

/**
 * To be called when the whole workload has left: the Keep answers in order, and ends no run before it has answered.
 * @throws AttestError `evidence/refused`, reason `session/other`, when it is not what was sent or not this owner's
 */
export async function askReceipt(
  session: AttestedSession,
  { manifest, provision }: Prepared,
  identity: ClientIdentity,
): Promise<KeepStatement> {
  const statement = await session.attest();
  requireExpected(statement, {
    manifest: hashSha256(provision.manifest),
    // Known since the module was read: it may be large.
    workload: manifest.workload.sha256!,
    ...ownedBy(identity),
  });
  return statement;
}

/** A session with a Keep that was accepted, and what is to be sent. */
export interface AcceptedSession {
  readonly session: AttestedSession;
  readonly trust: Trust;
  readonly identity: ClientIdentity;
  readonly prepared: Prepared;
}

export interface FollowedReceipt extends RunCompanion {
  /** Rejects when the Keep did not prove that it runs what was sent. */
  settled(): Promise<void>;
}

/**
 * Asks for the receipt with the last of the workload, so that the shortest run leaves one, and stops the workload when it
 * is not for what was sent.
 */
export function followReceipt(
  { session, prepared, identity, trust }: AcceptedSession,
  proof: string | undefined,
): FollowedReceipt {
  let asked: Promise<KeepStatement> | null = null;
  let stop = () => {};
  return {
    onUploaded() {
      if (asked !== null) return;
      asked = askReceipt(session, prepared, identity);
      asked.catch((error) => {
        if (error instanceof AttestError) stop();
      });
    },
    onRun(run) {
      stop = () => run.stop("kill");
    },
    async settled() {
      try {
        const statement = await asked!;
        if (proof !== undefined) await writeProof(proof, statement, trust);
      } catch (error) {
        // The run is over and was accepted before: a receipt that nobody wanted to keep is not missed.
        const lost = error instanceof DonjonError && error.code === "session/closed";
        if (proof !== undefined || !lost) throw error;
      }
    },
  };
}
