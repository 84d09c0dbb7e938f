/** Reading what may be something else: a refusal of ours is an answer, any other error is a defect. */
import { DonjonError } from "./errors.ts";

/** What `read` gives; `undefined` when it throws a `DonjonError`. */
export function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof DonjonError) return undefined;
    throw error;
  }
}
