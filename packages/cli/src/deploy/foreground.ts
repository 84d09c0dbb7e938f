/** A deployed workload joined to this process: stdio, signals and exit code as with `run`. */
import type { AgentClient } from "@donjon/client/agent/client";
import { DonjonError } from "@donjon/core/errors";
import { runInSession } from "../run/execute.ts";
import { finishRun } from "../run/finish.ts";
import type { AcceptedKeep, DeployOptions } from "./deploy.ts";
import { followReceipt } from "./receipt.ts";
import { summariseEvidence } from "./verdict.ts";

export async function deployForeground(
  accepted: AcceptedKeep,
  options: DeployOptions,
): Promise<number> {
  const { agent, keep, session, prepared, progress, watch, trust } = accepted;
  const receipt = followReceipt(accepted, options.proof);
  const executed = await runInSession(session, {
    prepared,
    progress,
    watch,
    kill: () => agent.removeKeep(keep.id).catch(() => {}),
    explain: (error) => explainLoss(error, agent, keep.id),
    companion: receipt,
  });
  await receipt.settled();
  return finishRun(executed, options, progress, {
    backend: keep.backend,
    protected: !trust.insecure,
    sandbox: keep.sandbox,
    evidence: summariseEvidence(session.statement),
  });
}

/** The host knows how a Keep ended; whether it says the truth nobody can tell. */
async function explainLoss(error: unknown, agent: AgentClient, id: string): Promise<unknown> {
  if (!(error instanceof DonjonError) || error.code !== "session/closed") return error;
  try {
    const { end } = await agent.getKeep(id);
    if (end === null) return error;
    return new DonjonError(
      "keep/lost",
      `the Keep ended before the run was over; its host says: ${end.reason}, ${end.detail}`,
      { cause: error },
    );
  } catch {
    return error;
  }
}
