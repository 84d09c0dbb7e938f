/** What a Keep has proved, for people and as JSON. */
import { createHash } from "node:crypto";
import type { Appraisal } from "@donjon/attest/appraise";
import type { Check } from "@donjon/attest/snp";
import type { KeepStatement } from "@donjon/client/attested/statement";
import { DonjonError } from "@donjon/core/errors";
import { readFile } from "../evidence/files.ts";
import { type Judgement, refuse } from "../evidence/judge.ts";
import { describeVerdict } from "../evidence/print.ts";
import type { Style } from "../output/style.ts";
import type { Trust } from "./trust.ts";

/** What the Keep runs: digests in lower-case hex; `null`: nothing yet. */
export interface RunningDigests {
  readonly manifest: string | null;
  readonly workload: string | null;
  readonly owner: string | null;
}

export interface Answer extends Judgement {
  /** `null`: not known, because nothing was accepted that says it. */
  readonly running: RunningDigests | null;
}

/** What the caller expects to run; from `--manifest` and `--workload`. */
export interface ExpectedDigests {
  readonly manifest?: string;
  readonly workload?: string;
}

/** An accepted statement, with what the caller expects as two more checks. */
export function answerStatement(
  statement: KeepStatement,
  expected: ExpectedDigests,
  notes: readonly string[],
): Answer {
  const { manifest, workload, owner, appraisal } = statement;
  const judgement = judgeAppraisal(appraisal, notes);
  const more = checkDigests(statement, expected);
  const verdict = more.every(({ ok }) => ok) ? judgement.verdict : "refused";
  return {
    ...judgement,
    checks: [...judgement.checks, ...more],
    verdict,
    running: { manifest, workload, owner },
  };
}

export function judgeAppraisal(appraisal: Appraisal, notes: readonly string[]): Judgement {
  const { kind, verdict, claims, verification, checks, at, anchor } = appraisal;
  return { kind, verdict, claims, checks: [...verification, ...checks], at, anchor, notes };
}

/** Evidence that was refused as an answer; any other failure is thrown on. What was proved until then is in it. */
export function answerRefusal(error: unknown, trust: Trust, notes: readonly string[]): Answer {
  const refusal = { ...refuse(error, null, new Date()), notes };
  const appraisal = trust.lastAppraisal();
  if (appraisal === null) return { ...refusal, running: null };
  const judgement = judgeAppraisal(appraisal, notes);
  const more = appraisal.verdict === "refused" ? [] : refusal.checks.filter(({ ok }) => !ok);
  return {
    ...judgement,
    verdict: "refused",
    checks: [...judgement.checks, ...more],
    running: null,
  };
}

/** @param rows facts besides the verdict: name and text */
export function describeAnswer(
  answer: Answer,
  trust: Pick<Trust, "insecure">,
  rows: readonly (readonly [string, string])[],
  style: Style,
): string {
  return describeVerdict(answer, style, { rows, insecure: trust.insecure });
}

/** Rows of `describeAnswer` that come from the statement. */
export function listStatement(answer: Answer, me: Uint8Array | null): [string, string][] {
  const { running } = answer;
  if (running === null) return [];
  const mine = me !== null && running.owner === Buffer.from(me).toString("hex");
  const show = (digest: string | null) => (digest === null ? "none yet" : `sha256 ${digest}`);
  return [
    ["manifest", show(running.manifest)],
    ["workload", show(running.workload)],
    ["owner", `${show(running.owner)}${mine ? " (you)" : ""}`],
  ];
}

/** `FILE`, or `sha256:HEX`. @throws DonjonError `files/read`, `usage` */
export function readExpected(options: {
  readonly manifest?: string;
  readonly workload?: string;
}): ExpectedDigests {
  const { manifest, workload } = options;
  return {
    ...(manifest === undefined ? {} : { manifest: readDigest("--manifest", manifest) }),
    ...(workload === undefined ? {} : { workload: readDigest("--workload", workload) }),
  };
}

function readDigest(flag: string, text: string): string {
  if (!text.startsWith("sha256:")) {
    return createHash("sha256").update(readFile(text)).digest("hex");
  }
  const digest = text.slice("sha256:".length).toLowerCase();
  if (/^[0-9a-f]{64}$/.test(digest)) return digest;
  throw new DonjonError(
    "usage",
    `${flag} is '${text}', and sha256: with 64 digits of hex is wanted`,
  );
}

function checkDigests(statement: KeepStatement, expected: ExpectedDigests): Check[] {
  return (["manifest", "workload"] as const).flatMap((field): Check[] => {
    const wanted = expected[field];
    if (wanted === undefined) return [];
    const found = statement[field];
    const code = "session/other";
    return [
      { code, wanted: `the ${field} ${wanted}`, found: found ?? "none", ok: found === wanted },
    ];
  });
}
