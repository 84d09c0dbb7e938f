import { compareImages, type ImageDifference } from "@donjon/host/image/check";
import { readRecord } from "@donjon/host/image/record";
import { EXIT } from "../output/exit-codes.ts";
import { createStyle, type Style, showSafely } from "../output/style.ts";

/** 0 when nothing differs, 1 when something does. */
export function runImageDiff(
  before: string,
  after: string,
  options: { readonly json?: boolean },
): number {
  const [one, other] = [readRecord(before), readRecord(after)];
  const changes = compareImages(one, other);
  if (options.json) process.stdout.write(`${JSON.stringify({ changes })}\n`);
  else process.stdout.write(describe(changes, one.digest, other.digest));
  return changes.length === 0 ? EXIT.ok : EXIT.different;
}

function describe(changes: readonly ImageDifference[], before: string, after: string): string {
  const style = createStyle(process.stdout);
  if (changes.length === 0) return "the images are the same\n";
  const digest =
    before === after ? "image digest: the same" : `image digest: ${before} -> ${after}`;
  const lines = changes.flatMap((change) => describeChange(change, style));
  return `${[digest, ...lines].join("\n")}\n`;
}

function describeChange({ path, input, before, after }: ImageDifference, style: Style): string[] {
  return [
    `${style.bold(showSafely(path))}  ${style.dim(showSafely(input))}`,
    ...(before === null ? [] : [style.red(`  - ${showSafely(before)}`)]),
    ...(after === null ? [] : [style.green(`  + ${showSafely(after)}`)]),
  ];
}
