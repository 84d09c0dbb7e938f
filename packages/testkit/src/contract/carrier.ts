/** What carries a session under test: nothing, or TLS with evidence of a simulated security processor. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ClientIdentity, createClientIdentity } from "@donjon/client/attested/identity";
import {
  type AttestedSession,
  type ExpectedKeep,
  openAttestedSession,
  type Verifier,
} from "@donjon/client/attested/open";
import { createSimulatedVerifier } from "@donjon/client/attested/verifier";
import { openSession, type Session } from "@donjon/client/session";
import type { StartedKeep } from "@donjon/host/backend/backend";
import type { EvidenceSource } from "@donjon/host/gate/evidence";
import type { Gate } from "@donjon/host/gate/gate";
import { openSecurityProcessor, type SecurityProcessor } from "@donjon/simtee/security-processor";

export interface Carrier {
  readonly name: string;
  /** What the host answers a Keep with that asks for evidence. */
  createSource(keep: StartedKeep): EvidenceSource | null;
  open(keep: StartedKeep, gate: Gate): Promise<Session>;
}

export const BARE: Carrier = {
  name: "bare",
  createSource: () => null,
  open: async (_keep, gate) => openSession(gate.openBareSession()),
};

export interface SimulatedCarrier extends Carrier, Disposable {
  readonly processor: SecurityProcessor;
  /** The key that `open` uses. */
  readonly identity: ClientIdentity;
  /** Accepts what was really launched. */
  createVerifier(keep: StartedKeep): Promise<Verifier>;
  openAs(
    keep: StartedKeep,
    gate: Gate,
    identity: ClientIdentity,
    expect: ExpectedKeep,
  ): Promise<AttestedSession>;
}

/** Has a security processor of its own, gone with it. */
export async function createSimulatedCarrier(): Promise<SimulatedCarrier> {
  const folder = mkdtempSync(join(tmpdir(), "donjon-simtee-"));
  const processor = await openSecurityProcessor(folder);
  const identity = createClientIdentity(Date.now());
  const createVerifier = async (keep: StartedKeep) => {
    const { tee, measurement } = await keep.measure();
    const pinned = [Buffer.from(measurement).toString("hex")];
    const policy =
      tee === "sgx" ? { sgx: { mrEnclave: pinned } } : { snp: { measurement: pinned } };
    return createSimulatedVerifier(processor.trust, { policy });
  };
  const carrier: SimulatedCarrier = {
    name: "attested",
    processor,
    identity,
    createVerifier,
    createSource: (keep) => async (reportData) => {
      const made = await processor.createEvidence(await keep.measure(), reportData);
      return { tee: made.kind, evidence: made.evidence, auxiliary: made.auxiliary };
    },
    open: (keep, gate) => carrier.openAs(keep, gate, identity, "new"),
    openAs: async (keep, gate, owner, expect) =>
      openAttestedSession(gate.openSession(), {
        identity: owner,
        verify: await createVerifier(keep),
        expect,
      }),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
  return carrier;
}
