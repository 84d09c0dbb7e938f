import { readUnverified } from "@donjon/attest/open";
import { EXIT } from "../output/exit-codes.ts";
import { createStyle } from "../output/style.ts";
import { gather } from "./gather.ts";
import { judge } from "./judge.ts";
import type { EvidenceOptions } from "./options.ts";
import { describeAll, encodeJudgement } from "./print.ts";

/** Evidence that can be read is explained, genuine or not: the exit code says whether it could be read. */
export async function runExplain(path: string, options: EvidenceOptions): Promise<number> {
  const gathered = gather(path, options);
  const judgement = await judge(gathered, new Date());
  const claims = judgement.claims ?? readUnverified(gathered.set);
  if (options.json) {
    const json = JSON.parse(encodeJudgement(judgement));
    const unverified = judgement.claims === null ? { unverified: claims } : {};
    process.stdout.write(`${JSON.stringify({ ...json, ...unverified })}\n`);
  } else process.stdout.write(describeAll(judgement, claims, createStyle(process.stdout)));
  return EXIT.ok;
}
