/** Which kind of Keep to ask an agent for. Decided before anything is made or sent. */
import type { AgentBackendName, AgentPlatform } from "@donjon/client/agent/client";
import { DonjonError } from "@donjon/core/errors";

export interface KeepBackend {
  readonly backend: AgentBackendName;
  /** As the agent says; evidence has to prove it. */
  readonly protects: boolean;
}

export interface BackendChoice {
  readonly backend?: string;
  readonly insecure?: boolean;
}

/** What `--insecure` takes when no kind is named. */
const UNPROTECTED: AgentBackendName = "process";

/**
 * A kind that is named is taken or refused. Otherwise the first that protects, and with `--insecure` the one that
 * runs everywhere.
 * @throws DonjonError `backend/unavailable`, `backend/unprotected`
 */
export function chooseKeepBackend(
  { backends }: AgentPlatform,
  { backend, insecure }: BackendChoice,
  address: string,
): KeepBackend {
  if (backend === undefined && !insecure) {
    const protecting = backends.find(({ protects, available }) => protects && available);
    if (protecting !== undefined) return { backend: protecting.name, protects: true };
    throw unprotected(`the agent at ${address} has no hardware that protects a Keep`, backends);
  }
  const wanted = backend ?? UNPROTECTED;
  const found = backends.find(({ name }) => name === wanted);
  if (found === undefined || !found.available) {
    const why = found === undefined ? "it does not know it" : found.detail;
    throw new DonjonError(
      "backend/unavailable",
      `the agent at ${address} cannot start a Keep of the kind '${wanted}': ${why}`,
    );
  }
  if (!found.protects && !insecure)
    throw unprotected(`the backend '${wanted}' has no hardware protection`, []);
  return { backend: found.name, protects: found.protects };
}

function unprotected(what: string, tried: AgentPlatform["backends"]): DonjonError {
  const reasons = tried
    .filter(({ protects }) => protects)
    .map(({ name, detail }) => `${name}: ${detail}`);
  const said = reasons.length === 0 ? "" : ` (${reasons.join("; ")})`;
  return new DonjonError(
    "backend/unprotected",
    `${what}${said}, so nothing was started and nothing sent: the host could read and change the program and its data`,
  );
}
