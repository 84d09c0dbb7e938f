/** How a Keep is, by its own word. */
import type { KeepState } from "@donjon/protocol/gate/gate";
import type { Gate } from "../gate/gate.ts";

/** Time that a Keep has to say how it is. */
const HEALTH_MS = 10_000;

/**
 * Answers what asks; it never rejects, and says `null` where the Keep does not answer in time. One question is open at a time,
 * however often it is asked: each that is not answered holds a stream, and a Keep that hangs may be asked for days.
 */
export function createHealthDesk(
  gate: Pick<Gate, "health">,
  limitMs = HEALTH_MS,
): () => Promise<KeepState | null> {
  let open: Promise<KeepState | null> | null = null;
  return () => {
    if (open !== null) return open;
    const { promise, resolve } = Promise.withResolvers<KeepState | null>();
    open = promise;
    // Who asks after it, while the Keep still owes the answer, is told so at once.
    const timer = setTimeout(() => resolve(null), limitMs);
    const end = (state: KeepState | null): void => {
      clearTimeout(timer);
      open = null;
      resolve(state);
    };
    gate.health().then(
      ({ state }) => end(state),
      () => end(null),
    );
    return promise;
  };
}
