/** A deployed workload that outlives this command. */
import type { AttestedSession } from "@donjon/client/attested/open";
import { DonjonError } from "@donjon/core/errors";
import type { RunOutcome } from "@donjon/protocol/session/outcome";
import { saveReceipt } from "../keeps/receipts.ts";
import { chooseOutcomeExit, EXIT } from "../output/exit-codes.ts";
import { writeLine } from "../output/failure.ts";
import { showSafely } from "../output/style.ts";
import { describeEnd } from "../output/summary.ts";
import type { Prepared } from "../run/prepare.ts";
import { writeProof } from "../trust/proof.ts";
import type { AcceptedKeep, DeployOptions } from "./deploy.ts";
import { askReceipt } from "./receipt.ts";

/** A program that dislikes what it was given has said so by then. */
const EARLY_EXIT_MS = 250;
/** For the Keep to say whether it has. */
const ANSWER_MS = 5000;

/** Resolves when the workload runs, with 0, or when it has exited at once, with its code. */
export async function deployDetached(
  accepted: AcceptedKeep,
  options: DeployOptions,
): Promise<number> {
  const { agent, keep, session, prepared, progress, trust, identity } = accepted;
  progress.begin("sending");
  const run = session.provision({ ...prepared.provision, detached: true }, (sent, total) =>
    progress.update(sent, total),
  );
  // A detached run has no result; it rejects when something fails.
  await Promise.race([run.started, run.result]).finally(() => progress.end());
  const receipt = await askReceipt(session, prepared, identity);
  const early = await awaitEarlyExit(session);
  session.close();
  const code = early === null ? EXIT.ok : chooseOutcomeExit(early);
  const { manifest, workload, owner } = receipt;
  const { id, name } = keep;
  const digests = { manifest: manifest!, workload: workload! };
  saveReceipt({ agent: agent.address, id, name, ...digests, at: Date.now() });
  const again =
    options.proof === undefined ? null : await writeProof(options.proof, receipt, trust);
  const json = {
    ...{ keep: keep.id, name: keep.name, backend: keep.backend, manifest, workload, owner },
    outcome: early,
  };
  process.stdout.write(
    options.json ? `${JSON.stringify({ deployed: json })}\n` : `${keep.id}  ${keep.name}\n`,
  );
  if (options.json) return code;
  if (early !== null) writeLine(describeExited(early, code, accepted, options));
  if (options.quiet) return code;
  if (early === null) writeLine(describeNext(accepted, options));
  if (again !== null) writeLine(`donjon: proof written; to ask it again: ${again}`);
  return code;
}

/** How it ended, when it has by now; `null` when it runs on, or the Keep does not say. */
async function awaitEarlyExit(session: AttestedSession): Promise<RunOutcome | null> {
  const attached = session.attach({ input: false });
  attached.stdout.resume();
  attached.stderr.resume();
  const { promise: enough, resolve } = Promise.withResolvers<null>();
  let timer = setTimeout(resolve, ANSWER_MS, null);
  const onAttached = ({ state }: { readonly state: "running" | "exited" }) => {
    if (state === "exited") return;
    clearTimeout(timer);
    timer = setTimeout(resolve, EARLY_EXIT_MS, null);
  };
  attached.attached.then(onAttached, () => {});
  // The workload runs already: what goes wrong with watching it is no failure of the deployment.
  const exited = attached.result.then(
    ({ outcome }) => outcome,
    () => null,
  );
  return Promise.race([exited, enough]).finally(() => clearTimeout(timer));
}

function describeExited(
  outcome: RunOutcome,
  code: number,
  accepted: AcceptedKeep,
  options: DeployOptions,
): string {
  const how = describeEnd(outcome) ?? `it has exited already, with code ${code}`;
  const output = showSafely(describeCommand("logs", accepted, options));
  return `donjon: ${how}\ndonjon: what it wrote: ${output}`;
}

/** Where it listens, and the commands that ask for it. */
function describeNext(accepted: AcceptedKeep, options: DeployOptions): string {
  const { listeners } = accepted.keep;
  const places = listeners.map(({ address, port }) => `${address}:${port}`).join(", ");
  const listens = places === "" ? "" : ` and listens on ${places}`;
  const next = describeCommand("attest|logs|attach|stop", accepted, options);
  return showSafely(`donjon: it runs on without this command${listens}; next: ${next}`);
}

/** A command that asks for the Keep, with the flags that this one was given. */
function describeCommand(
  command: string,
  { keep, trust }: AcceptedKeep,
  { agent, policy }: DeployOptions,
): string {
  return [
    `donjon ${command}`,
    ...(agent === undefined ? [] : ["--agent", agent]),
    ...(trust.insecure ? ["--insecure"] : []),
    ...(policy === undefined ? [] : ["--policy", policy]),
    keep.name,
  ].join(" ");
}

/** @throws DonjonError `usage` for changes that nobody would wait for */
export function requireNoChanges({ writable: [tree] }: Prepared): void {
  if (tree === undefined) return;
  throw new DonjonError(
    "usage",
    `with --detach nobody waits for the changes to '${tree.guest}'; grant it read-only, or give the program --tmp`,
  );
}
