/**
 * `donjon run` with evidence: a Keep of this process that proves itself before anything is sent, as with `deploy`. Always
 * where hardware protects it; where nothing does, only when asked, because nothing is proved there.
 */
import { openAttestedSession } from "@donjon/client/attested/open";
import type { KeepStatement } from "@donjon/client/attested/statement";
import { DonjonError } from "@donjon/core/errors";
import type { BackendName } from "@donjon/host/backend/backend";
import { chooseBackend, probePlatform } from "@donjon/host/platform/probe";
import { createEvidenceSource } from "@donjon/host/warden/security-processor";
import { openBackend } from "../agent/open-backend.ts";
import { createTrustReader, openSimulator } from "../agent/simulator.ts";
import { type EarlyKeep, findRuntime, startOn } from "../early-keep.ts";
import { openOwner } from "../identity/owner.ts";
import type { EvidenceFlags } from "../keeps/options.ts";
import type { Progress } from "../output/progress.ts";
import { Interrupted } from "../run/drive.ts";
import { executeRun } from "../run/execute.ts";
import { type FinishOptions, finishRun } from "../run/finish.ts";
import type { Prepared } from "../run/prepare.ts";
import { requireNewProof } from "../trust/proof.ts";
import { createTrust } from "../trust/trust.ts";
import { type FollowedReceipt, followReceipt } from "./receipt.ts";
import { showRefusal, showVerdict, summariseEvidence } from "./verdict.ts";

export interface LocalOptions extends EvidenceFlags, FinishOptions {
  readonly backend?: string;
  readonly proof?: string;
}

/**
 * A Keep of the kind that was asked for, else of the best that protects.
 * @throws DonjonError `backend/unprotected` when this machine has none, `backend/unavailable`
 */
export async function startProtectedKeep(backend: BackendName | undefined): Promise<EarlyKeep> {
  const source = { engine: process.execPath, runtime: findRuntime() };
  if (backend !== undefined) return startOn(await openBackend(backend, source));
  const platform = await probePlatform(source);
  const name = chooseBackend(platform);
  if (name !== null) return startOn(await openBackend(name, source));
  const tried = platform.backends
    .filter(({ protects }) => protects)
    .map((each) => `${each.name}: ${each.detail}`);
  throw new DonjonError(
    "backend/unprotected",
    `no hardware protection was found on this machine (${tried.join("; ")}), so nothing was started: the host could read and change the program and its data`,
  );
}

/** Runs what `prepare` gives in a Keep that was started; answers the exit code. The Keep is left to the caller. */
export async function runAttested(
  early: EarlyKeep,
  prepare: () => Promise<Prepared>,
  options: LocalOptions,
  progress: Progress,
): Promise<number> {
  if (options.proof !== undefined) requireNewProof(options.proof);
  const trust = await createTrust(options, early, createTrustReader());
  const identity = openOwner(options.identity);
  const simulated = trust.insecure ? createEvidenceSource(early.keep, openSimulator) : null;
  // While the Keep boots: its question then finds the answer ready.
  void simulated?.prepare();
  const preparing = prepare();
  preparing.catch(() => {});
  let statement: KeepStatement | null = null;
  let receipt: FollowedReceipt | null = null;
  let sent = false;
  try {
    const executed = await executeRun(early, () => preparing, progress, {
      evidence: simulated?.source ?? null,
      async open(gate, watch) {
        const session = await openAttestedSession(gate.openSession(), {
          identity,
          verify: trust.verify,
          expect: "new",
          onPhase: (phase) => watch.note(phase),
        });
        statement = session.statement;
        showVerdict(statement, trust, options);
        const prepared = await preparing;
        receipt = followReceipt({ session, trust, identity, prepared }, options.proof);
        return session;
      },
      companion: {
        onUploaded: () => receipt!.onUploaded(),
        onRun(run) {
          sent = true;
          receipt!.onRun(run);
        },
      },
    });
    await receipt!.settled();
    return finishRun(executed, options, progress, {
      backend: early.backend,
      protected: early.protects,
      sandbox: early.keep.sandbox,
      image: early.keep.image,
      evidence: summariseEvidence(statement!),
    });
  } catch (error) {
    if (error instanceof Interrupted) return error.tell("run", options);
    return showRefusal(error, trust, options, sent);
  }
}
