/** What contract suites share: a Keep with its gate, and a run inside it. */
import { createHash } from "node:crypto";
import { connect } from "node:net";
import { openSession, type Provision, type Run, type Session } from "@donjon/client/session";
import type { Backend, StartedKeep } from "@donjon/host/backend/backend";
import { type Gate, openGate } from "@donjon/host/gate/gate";
import { BARE, type Carrier } from "./carrier.ts";

export interface KeepUnderTest extends AsyncDisposable {
  readonly keep: StartedKeep;
  readonly gate: Gate;
  readonly console: string[];
  /** By way of the carrier. */
  open(): Promise<Session>;
}

/** A started Keep that is killed, and seen to have ended, when the test is over. */
export function startKeep(backend: Backend, carrier: Carrier = BARE): KeepUnderTest {
  const console: string[] = [];
  const onConsole = (line: string) => console.push(line);
  const keep = backend.start({ onConsole });
  const gate = openGate(keep, { onConsole, evidence: carrier.createSource(keep) });
  return {
    keep,
    gate,
    console,
    open: () => carrier.open(keep, gate),
    async [Symbol.asyncDispose]() {
      keep.kill();
      await gate.close();
      await keep.ended;
    },
  };
}

export function sha256Hex(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

type WholeProvision = Provision & Record<"manifest" | "workload", Uint8Array>;

/** A provision of `workload` with a manifest that names its digest and has `more` lines. */
export function createProvision(workload: Uint8Array, more = ""): WholeProvision {
  const manifest = Buffer.from(`[workload]\nsha256 = "${sha256Hex(workload)}"\n${more}`);
  return { manifest, workload, secrets: new Map(), trees: [] };
}

export function startRun(
  gate: Gate,
  workload: Uint8Array,
  more = "",
): { readonly session: Session; readonly run: Run } {
  const session = openSession(gate.openBareSession());
  return { session, run: session.provision(createProvision(workload, more)) };
}

/** As `startRun`, by way of the carrier. */
export async function startCarriedRun(
  under: KeepUnderTest,
  workload: Uint8Array,
  more = "",
): Promise<{ readonly session: Session; readonly run: Run }> {
  const session = await under.open();
  return { session, run: session.provision(createProvision(workload, more)) };
}

export async function readAll(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Sends `bytes` to a port of the loopback, ends, and gives what came back. */
export function callPort(port: number, bytes: Uint8Array): Promise<Buffer> {
  const socket = connect({ host: "127.0.0.1", port });
  socket.end(bytes);
  return readAll(socket);
}
