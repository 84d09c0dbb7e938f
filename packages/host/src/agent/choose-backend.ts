import { DonjonError } from "@donjon/core/errors";
import type { AgentBackendName, AgentPlatform } from "@donjon/protocol/agent/keep-record";

export interface ChosenBackend {
  readonly name: AgentBackendName;
  readonly protects: boolean;
}

/**
 * The backend of that name, or the first that works here, those that protect before those that do not. What the client
 * then accepts is for the client to judge. Throws `backend/unavailable`.
 */
export function chooseAgentBackend(
  { backends }: AgentPlatform,
  wanted: AgentBackendName | null,
): ChosenBackend {
  const usable = backends.filter(({ available }) => available);
  const ranked = [
    ...usable.filter(({ protects }) => protects),
    // The cheapest of those that do not protect: the last.
    ...usable.filter(({ protects }) => !protects).toReversed(),
  ];
  const found = wanted === null ? ranked[0] : usable.find(({ name }) => name === wanted);
  if (found !== undefined) return { name: found.name, protects: found.protects };
  const detail = backends.find(({ name }) => name === wanted)?.detail;
  throw new DonjonError(
    "backend/unavailable",
    wanted === null
      ? "this machine can start no kind of Keep; 'donjon platform' says what was tried"
      : `this machine cannot start Keeps of the kind '${wanted}'${detail === undefined ? "" : `: ${detail}`}`,
  );
}
