import { DonjonError } from "@donjon/core/errors";
import { explainSystemError } from "@donjon/core/system-error";

/**
 * For commands that print what they found: a full disk must not look like success. That nobody reads any more
 * (`| head -1`) is no failure.
 * @returns resolves when all that was printed is out; rejects with `files/write` when it cannot be
 */
export function watchStdout(): () => Promise<void> {
  let lost: NodeJS.ErrnoException | undefined;
  process.stdout.on("error", (error) => {
    lost ??= error;
  });
  return async () => {
    // An empty write comes after all others.
    await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
    if (lost === undefined || lost.code === "EPIPE") return;
    const why = explainSystemError(lost);
    throw new DonjonError("files/write", `the output cannot be written: ${why}`, { cause: lost });
  };
}
