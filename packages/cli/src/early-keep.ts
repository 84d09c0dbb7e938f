/**
 * Starts the Keep before anything else is loaded: it boots while this process reads its flags and
 * files. Whatever then goes wrong, `kill` ends it.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Backend, BackendName, StartedKeep } from "@donjon/host/backend/backend";
import { createProcessBackend } from "@donjon/host/backend/process";
import { uptimeMs } from "./uptime.ts";

/** Backends that this machine could use without protection. */
const UNPROTECTED_BACKEND = "process";

export interface EarlyKeep {
  readonly backend: BackendName;
  /** Whether hardware protects it. */
  readonly protects: boolean;
  readonly keep: StartedKeep;
  /** Lines of the Keep's runtime, in order. */
  readonly lines: string[];
  /** Milliseconds since this process began. */
  readonly startedMs: number;
}

/** Whether the arguments of `run` ask for an unprotected run and nothing that needs no Keep. */
export function wantsEarlyKeep(argv: readonly string[]): boolean {
  if (argv[0] !== "run") return false;
  const end = argv.indexOf("--");
  const own = argv.slice(1, end === -1 ? undefined : end);
  if (!own.includes("--insecure")) return false;
  if (own.some((word) => ["-h", "--help", "--print-manifest"].includes(word))) return false;
  const other = own.find((word, i) => own[i - 1] === "--backend" || word.startsWith("--backend="));
  return other === undefined || other.replace("--backend=", "") === UNPROTECTED_BACKEND;
}

export function startKeep(): EarlyKeep {
  return startOn(createProcessBackend({ engine: process.execPath, runtime: findRuntime() }));
}

/** Rejects with `backend/unavailable` where this machine has no QEMU or no image. */
export async function startVmKeep(): Promise<EarlyKeep> {
  const { openVmBackend } = await import("./vm-backend.ts");
  return startOn(await openVmBackend({ engine: process.execPath, runtime: findRuntime() }));
}

export function startOn(backend: Backend): EarlyKeep {
  const lines: string[] = [];
  const startedMs = uptimeMs();
  const keep = backend.start({ onConsole: (line) => lines.push(line) });
  return { backend: backend.name, protects: backend.protects, keep, lines, startedMs };
}

/** The bundled runtime: beside this bundle where installed, in its own package in the repository. */
export function findRuntime(): string {
  const here = dirname(process.argv[1]!);
  const beside = join(here, "keep.cjs");
  return existsSync(beside) ? beside : join(here, "../../keep/dist/keep.cjs");
}
