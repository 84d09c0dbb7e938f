/** Signals before a program runs: nothing of it may stay at the host, so the command ends by its own hand. */
import { Interrupted, onSignals } from "../run/drive.ts";

export interface Cancel {
  /** Aborted with `Interrupted`. */
  readonly signal: AbortSignal;
  /** From now on somebody else takes care of signals. */
  release(): void;
}

export function cancelOnSignals(): Cancel {
  const controller = new AbortController();
  const release = onSignals((code) => controller.abort(new Interrupted(code)));
  return { signal: controller.signal, release };
}
