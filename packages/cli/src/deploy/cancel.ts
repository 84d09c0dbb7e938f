/** Signals before a program runs: nothing of it may stay at the host, so the command ends by its own hand. */
import { Interrupted, SIGNAL_EXITS } from "../run/drive.ts";

export interface Cancel {
  /** Aborted with `Interrupted`. */
  readonly signal: AbortSignal;
  /** From now on somebody else takes care of signals. */
  release(): void;
}

export function cancelOnSignals(): Cancel {
  const controller = new AbortController();
  const handlers = Object.entries(SIGNAL_EXITS).map(([signal, code]) => {
    const handler = () => controller.abort(new Interrupted(code));
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  return {
    signal: controller.signal,
    release: () => {
      for (const off of handlers) off();
    },
  };
}
