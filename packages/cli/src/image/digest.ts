import { DonjonError } from "@donjon/core/errors";
import { checkImage } from "@donjon/host/image/check";
import { searchImage } from "@donjon/host/image/find";
import { readRecord } from "@donjon/host/image/record";
import { EXIT } from "../output/exit-codes.ts";
import { findSource } from "./places.ts";

/** Throws `image/missing` where nothing is built, `image/changed` naming the first input that is not what was built. */
export function runImageDigest(
  given: string | undefined,
  options: { readonly json?: boolean },
): number {
  const directory = given ?? findStored();
  const record = readRecord(directory);
  const [first, ...others] = checkImage(directory, record);
  if (first !== undefined) {
    const more = others.length === 0 ? "" : ` and ${others.length} more`;
    const message = `the image in '${directory}' was changed: '${first.path}' (${first.input}) has SHA-256 ${first.after ?? "none"}, wanted ${first.before ?? "no such file"}${more}; build it again`;
    const { path, input } = first;
    throw new DonjonError("image/changed", message, { details: { directory, path, input } });
  }
  const { digest, tree } = record;
  if (options.json) process.stdout.write(`${JSON.stringify({ digest, directory, tree })}\n`);
  else process.stdout.write(`${digest}\n`);
  return EXIT.ok;
}

function findStored(): string {
  const found = searchImage(findSource());
  if (found.image !== null) return found.image.directory;
  throw new DonjonError("image/missing", `${found.why}; 'donjon image build' builds one`);
}
