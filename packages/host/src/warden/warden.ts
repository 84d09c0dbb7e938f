/**
 * The warden: a process per Keep that starts it, holds its pipes and outlives the agent. Whoever can open its socket, which
 * is this user, rules the Keep; it sees the Keep's sessions as the network does.
 */
import { writeSync } from "node:fs";
import { DRAIN_MS } from "@donjon/protocol/limits";
import type { Backend, BackendName } from "../backend/backend.ts";
import { openConsoleFile } from "./console-file.ts";
import { toAnswerError } from "./control.ts";
import { describeKeepFolder, type KeepFolder, readOrder, writeJson } from "./folder.ts";
import { listDescendants, markProcess } from "./process-tree.ts";
import type { SecurityProcessor } from "./security-processor.ts";
import { serveWarden } from "./serve.ts";
import { WardenedKeep } from "./wardened-keep.ts";

export interface WardenParts {
  /** Rejects with `backend/unavailable`. */
  createBackend(name: BackendName): Promise<Backend>;
  openSecurityProcessor(): Promise<SecurityProcessor>;
}

/** Descriptor on which the agent waits for one line: `{"ok":null}` or an error. */
export const READY_DESCRIPTOR = 3;

/** Serves the Keep of the folder until it has ended; answers the exit code. Never rejects. */
export async function runWarden(path: string, parts: WardenParts): Promise<number> {
  const folder = describeKeepFolder(path);
  try {
    await serve(folder, parts);
    return 0;
  } catch (error) {
    // Nobody may be left to read it.
    tellAgent(JSON.stringify(toAnswerError(error)));
    console.error(error);
    return 1;
  }
}

async function serve(folder: KeepFolder, parts: WardenParts): Promise<void> {
  const self = markProcess(process.pid)!;
  writeJson(folder.processes, [self]);
  const { backend: name, bandwidthBytesPerS } = readOrder(folder);
  const keep = new WardenedKeep({
    backend: await parts.createBackend(name),
    openSecurityProcessor: parts.openSecurityProcessor,
    onConsole: openConsoleFile(folder.console),
    anchor: folder.order,
    bandwidthBytesPerS,
  });
  try {
    handleSignals(keep);
    await keep.ready();
    const server = await serveWarden(folder.socket, keep);
    writeJson(folder.processes, [self, ...listDescendants(process.pid)]);
    tellAgent(JSON.stringify({ ok: null }));
    // While the client is on its way; for a pooled Keep before anybody asks.
    keep.prepareEvidence();
    const end = await keep.ended();
    // Before the socket closes: who watches it reads the end then.
    writeJson(folder.end, end);
    await server.close(DRAIN_MS);
  } finally {
    keep.stop("failed", "its warden failed");
  }
}

function handleSignals(keep: WardenedKeep): void {
  process.on("SIGHUP", () => {});
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => keep.stop("stopped", "the machine asked it to end"));
}

function tellAgent(line: string): void {
  try {
    writeSync(READY_DESCRIPTOR, `${line}\n`);
  } catch {
    // The agent is gone; the next one finds the socket.
  }
}
