/** After provisioning: the Keep proves once more what it is, and now also what it was given and by whom. */
import { AttestError } from "@donjon/attest/errors";
import type { ClientIdentity } from "@donjon/client/attested/identity";
import { type AttestedSession, ownedBy } from "@donjon/client/attested/open";
import { type KeepStatement, requireExpected } from "@donjon/client/attested/statement";
import type { Provision, Run } from "@donjon/client/session";
import { hashSha256 } from "../run/digest.ts";
import type { Prepared } from "../run/prepare.ts";
import { writeProof } from "../trust/proof.ts";
import type { Trust } from "../trust/trust.ts";

/**
 * To be called when the Keep has said that it was provisioned.
 * @throws AttestError `evidence/refused`, reason `session/other`, when it is not what was sent or not this owner's
 */
export async function askReceipt(
  session: AttestedSession,
  { manifest, workload }: Provision,
  identity: ClientIdentity,
): Promise<KeepStatement> {
  const statement = await session.attest();
  requireExpected(statement, {
    manifest: hashSha256(manifest),
    workload: hashSha256(workload),
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

export interface FollowedReceipt {
  readonly onRun: (run: Run) => void;
  /** Rejects when the Keep did not prove that it runs what was sent. */
  settled(): Promise<void>;
}

/** Asks for the receipt while the workload starts, and stops the workload when it is not what was sent. */
export function followReceipt(
  { session, prepared, identity, trust }: AcceptedSession,
  proof: string | undefined,
): FollowedReceipt {
  let asked: Promise<KeepStatement> | null = null;
  return {
    onRun(run) {
      asked = run.provisioned.then(() => askReceipt(session, prepared.provision, identity));
      asked.catch((error) => {
        if (error instanceof AttestError) run.stop("kill");
      });
    },
    async settled() {
      const statement = await asked!;
      if (proof !== undefined) await writeProof(proof, statement, trust);
    },
  };
}
