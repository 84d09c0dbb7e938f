import { DonjonError } from "@donjon/core/errors";
import { failure } from "./request.ts";
import type { Answer } from "./store.ts";

/** For `Wanted.check`: what `read` cannot read is no answer. */
export function checked(
  wanted: string,
  read: (answer: Answer) => unknown,
): (answer: Answer) => void {
  return (answer) => {
    try {
      read(answer);
    } catch (cause) {
      if (!(cause instanceof DonjonError) || cause.code.startsWith("collateral/")) throw cause;
      throw failure("collateral/answer", answer.url, cause.message, wanted, cause);
    }
  };
}
