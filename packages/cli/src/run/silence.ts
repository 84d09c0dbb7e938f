/** Notices that nothing comes any more. */

export interface SilenceWatch {
  /** Time before silence begins to count; 0 when not given. */
  readonly firstMs?: number;
  readonly graceMs: number;
  /** Grows while something comes; `null`: nothing can come now, and that is this end's doing. */
  readonly heard: () => number | null;
  /** Called once, when nothing came for `graceMs`. */
  readonly onSilent: () => void;
}

/** The longest that a timer of the engine takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Answers what ends the watch. */
export function watchSilence({ firstMs = 0, graceMs, heard, onSilent }: SilenceWatch): () => void {
  let timer: NodeJS.Timeout;
  const wait = (ms: number, then: () => void): void => {
    const part = Math.min(ms, MAX_TIMER_MS);
    timer = setTimeout(() => (ms > part ? wait(ms - part, then) : then()), part);
  };
  const listen = (): void => {
    const before = heard();
    wait(graceMs, () => {
      if (before !== null && heard() === before) onSilent();
      else listen();
    });
  };
  wait(firstMs, listen);
  return () => clearTimeout(timer);
}
