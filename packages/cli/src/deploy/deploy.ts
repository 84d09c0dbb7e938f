/**
 * `donjon deploy`: a workload into a Keep at an agent. The order is the promise: the Keep is made, proves itself, is
 * accepted, and only then is anything of the workload sent.
 */
import type { AgentClient, KeepRecord } from "@donjon/client/agent/client";
import type { Manifest } from "@donjon/protocol/manifest/manifest";
import { openOwner } from "../identity/owner.ts";
import { openAgent } from "../keeps/connect.ts";
import type { AgentFlags, EvidenceFlags } from "../keeps/options.ts";
import { openSessionAt } from "../keeps/session.ts";
import { Progress } from "../output/progress.ts";
import { Interrupted } from "../run/drive.ts";
import { listConnections, Stopwatch } from "../run/execute.ts";
import { applyFlags, type ManifestFlags } from "../run/flags.ts";
import { prepareRun } from "../run/prepare.ts";
import { resolveTarget } from "../run/target.ts";
import { requireNewProof } from "../trust/proof.ts";
import { createTrust } from "../trust/trust.ts";
import { uptimeMs } from "../uptime.ts";
import { chooseKeepBackend, type KeepBackend } from "./backend.ts";
import { type Cancel, cancelOnSignals } from "./cancel.ts";
import { deployDetached, requireNoChanges } from "./detached.ts";
import { deployForeground } from "./foreground.ts";
import type { AcceptedSession } from "./receipt.ts";
import { showRefusal, showVerdict } from "./verdict.ts";

export interface DeployOptions extends ManifestFlags, AgentFlags, EvidenceFlags {
  readonly backend?: string;
  readonly name?: string;
  readonly detach?: boolean;
  readonly proof?: string;
  readonly wasmcfgfile?: string;
  readonly summary?: boolean;
  readonly quiet?: boolean;
  readonly json?: boolean;
}

/** A Keep that was accepted and has been sent nothing yet. */
export interface AcceptedKeep extends AcceptedSession {
  readonly agent: AgentClient;
  readonly keep: KeepRecord;
  readonly progress: Progress;
  readonly watch: Stopwatch;
}

/** @param rest the workload's own arguments; `null`: those of the manifest */
export async function runDeploy(
  path: string,
  options: DeployOptions,
  rest: readonly string[] | null,
): Promise<number> {
  const progress = new Progress(process.stderr.isTTY === true && !options.quiet && !options.json);
  if (options.proof !== undefined) requireNewProof(options.proof);
  const agent = openAgent(options);
  const backend = chooseKeepBackend(await agent.getPlatform(), options, agent.address);
  const trust = await createTrust(options, backend, () => agent.getSimulatedTrust());
  const identity = openOwner(options.identity);
  const target = resolveTarget(path, options.wasmcfgfile);
  if (!options.quiet && !options.json)
    for (const note of target.notes) progress.note(`donjon: ${note}`);
  const prepared = prepareRun(target, applyFlags(target.manifest, options, rest), progress);
  if (options.detach) requireNoChanges(prepared);
  const chosen = { agent, backend, trust, identity, prepared, progress };
  const cancel = cancelOnSignals();
  try {
    return await deployPrepared(chosen, options, cancel);
  } catch (error) {
    if (cancel.signal.aborted) return cancel.signal.reason.exitCode;
    if (error instanceof Interrupted) return error.tell("deploy", options);
    throw error;
  }
}

/** Everything that was decided and read before the agent makes a Keep. */
type Chosen = Omit<AcceptedKeep, "keep" | "session" | "watch"> & { readonly backend: KeepBackend };

async function deployPrepared(
  { backend, ...chosen }: Chosen,
  options: DeployOptions,
  cancel: Cancel,
): Promise<number> {
  const { agent, trust, identity, prepared } = chosen;
  const watch = new Stopwatch(uptimeMs());
  const keep = await agent.createKeep({
    backend: backend.backend,
    ...(options.name === undefined ? {} : { name: options.name }),
    ...listSockets(prepared.manifest),
  });
  watch.note("create");
  let stays = false;
  let sent = false;
  try {
    const session = await openSessionAt(agent, keep, {
      trust,
      identity,
      expect: "new",
      signal: cancel.signal,
      onPhase: (phase) => watch.note(phase),
    });
    showVerdict(session.statement, trust, options);
    const accepted = { ...chosen, keep, session, watch };
    sent = true;
    if (!options.detach) {
      cancel.release();
      return await deployForeground(accepted, options);
    }
    cancel.signal.addEventListener("abort", () => session.close());
    const code = await deployDetached(accepted, options);
    stays = true;
    return code;
  } catch (error) {
    return showRefusal(error, trust, options, sent);
  } finally {
    // What went wrong, or is over, leaves nothing behind at the host.
    if (!stays) await agent.removeKeep(keep.id).catch(() => {});
  }
}

function listSockets(manifest: Manifest) {
  return {
    listeners: manifest.descriptors.flatMap((descriptor) =>
      descriptor.kind === "listen"
        ? [{ name: descriptor.name, address: descriptor.address, port: descriptor.port }]
        : [],
    ),
    connections: listConnections(manifest),
  };
}
