import { EXIT } from "../output/exit-codes.ts";
import { createStyle } from "../output/style.ts";
import { listBinding } from "./binding.ts";
import { gather } from "./gather.ts";
import { type Judgement, judge, refuse } from "./judge.ts";
import type { EvidenceOptions } from "./options.ts";
import { describeVerdict, encodeJudgement } from "./print.ts";

export async function runVerify(path: string, options: EvidenceOptions): Promise<number> {
  const judgement = await judgeFile(path, options);
  const { binding } = judgement;
  process.stdout.write(
    options.json
      ? encodeJudgement(judgement)
      : describeVerdict(judgement, createStyle(process.stdout), {
          rows: binding === undefined ? [] : listBinding(binding),
        }),
  );
  return judgement.verdict === "accepted" ? EXIT.ok : EXIT.refused;
}

async function judgeFile(path: string, options: EvidenceOptions): Promise<Judgement> {
  const now = new Date();
  let gathered: ReturnType<typeof gather>;
  try {
    gathered = gather(path, options);
  } catch (error) {
    return refuse(error, null, now);
  }
  return judge(gathered, now);
}
