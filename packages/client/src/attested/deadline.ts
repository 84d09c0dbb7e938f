/** Work that depends on somebody who may never answer. */
import { DonjonError } from "@donjon/core/errors";

/**
 * The work's outcome, or `session/timeout` after `timeoutMs`, or the signal's reason. `giveUp` is called for every
 * outcome but success, and must make the work end.
 */
export async function withDeadline<T>(
  work: () => Promise<T>,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  giveUp: () => void,
): Promise<T> {
  const ended = Promise.withResolvers<never>();
  const onAbort = () => ended.reject(signal!.reason);
  const timer = setTimeout(() => ended.reject(timeoutError(timeoutMs)), timeoutMs);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    signal?.throwIfAborted();
    return await Promise.race([work(), ended.promise]);
  } catch (error) {
    giveUp();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

function timeoutError(timeoutMs: number): DonjonError {
  return new DonjonError(
    "session/timeout",
    `the Keep did not prove itself within ${timeoutMs} ms; the host may be overloaded or hold its answers back: try again, or another host`,
    { details: { timeoutMs } },
  );
}
