/** A deployed workload that outlives this command. */
import { DonjonError } from "@donjon/core/errors";
import { saveReceipt } from "../keeps/receipts.ts";
import { EXIT } from "../output/exit-codes.ts";
import { writeLine } from "../output/failure.ts";
import { showSafely } from "../output/style.ts";
import type { Prepared } from "../run/prepare.ts";
import { writeProof } from "../trust/proof.ts";
import type { AcceptedKeep, DeployOptions } from "./deploy.ts";
import { askReceipt } from "./receipt.ts";

/** Resolves when the workload runs. */
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
  const receipt = await askReceipt(session, prepared.provision, identity);
  session.close();
  const { manifest, workload, owner } = receipt;
  const { id, name } = keep;
  const digests = { manifest: manifest!, workload: workload! };
  saveReceipt({ agent: agent.address, id, name, ...digests, at: Date.now() });
  const again =
    options.proof === undefined ? null : await writeProof(options.proof, receipt, trust);
  const json = { keep: keep.id, name: keep.name, backend: keep.backend, manifest, workload, owner };
  process.stdout.write(
    options.json ? `${JSON.stringify({ deployed: json })}\n` : `${keep.id}  ${keep.name}\n`,
  );
  if (options.json || options.quiet) return EXIT.ok;
  writeLine(describeNext(accepted, options));
  if (again !== null) writeLine(`donjon: proof written; to ask it again: ${again}`);
  return EXIT.ok;
}

/** Where it listens, and the commands that ask for it, with the flags that this one was given. */
function describeNext({ keep, trust }: AcceptedKeep, { agent, policy }: DeployOptions): string {
  const places = keep.listeners.map(({ address, port }) => `${address}:${port}`).join(", ");
  const words = [
    "donjon attest|logs|attach|stop",
    ...(agent === undefined ? [] : ["--agent", agent]),
    ...(trust.insecure ? ["--insecure"] : []),
    ...(policy === undefined ? [] : ["--policy", policy]),
    keep.name,
  ];
  const listens = places === "" ? "" : ` and listens on ${places}`;
  return showSafely(`donjon: it runs on without this command${listens}; next: ${words.join(" ")}`);
}

/** @throws DonjonError `usage` for changes that nobody would wait for */
export function requireNoChanges({ writable: [tree] }: Prepared): void {
  if (tree === undefined) return;
  throw new DonjonError(
    "usage",
    `with --detach nobody waits for the changes to '${tree.guest}'; grant it read-only, or give the program --tmp`,
  );
}
