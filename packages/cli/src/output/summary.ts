import type { RunOutcome, RunUsage } from "@donjon/protocol/session/outcome";
import { writeLine } from "./failure.ts";
import { formatBytes } from "./progress.ts";
import { createStyle, showSafely } from "./style.ts";
import { wrapText } from "./wrap.ts";

export interface SummaryEvidence {
  readonly kind: string;
  readonly verdict: string;
  readonly anchor: { readonly name: string; readonly origin: "vendor" | "caller" };
}

export interface RunSummary {
  readonly backend: string;
  /** Whether hardware protected the run. */
  readonly protected: boolean;
  /** What confined the Keep. */
  readonly sandbox: string;
  /** Which files the Keep ran; not said by an agent. */
  readonly image?: string;
  /** What the Keep proved before anything was sent; `null` when it was not asked. */
  readonly evidence: SummaryEvidence | null;
  /** SHA-256 as the Keep said them, hex. */
  readonly manifest: string;
  readonly workload: string;
  readonly outcome: RunOutcome;
  readonly exitCode: number;
  readonly usage: RunUsage;
  /** Milliseconds by name: the client's phases, then the Keep's. */
  readonly phases: Readonly<Record<string, number>>;
  /** Directories written back, with the number of paths that changed. */
  readonly written: readonly { readonly host: string; readonly paths: number }[];
}

/** One line of JSON on stderr: stdout belongs to the workload. */
export function printSummaryJson(summary: RunSummary): void {
  const { usage, phases } = summary;
  const run = {
    ...summary,
    usage: { ...usage, wallMs: roundMs(usage.wallMs), cpuMs: roundMs(usage.cpuMs) },
    phases: Object.fromEntries(Object.entries(phases).map(([name, ms]) => [name, roundMs(ms)])),
  };
  writeLine(JSON.stringify({ run }));
}

/** To whole microseconds: no clock here says more. */
function roundMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

function describeEvidence({ evidence }: RunSummary): string {
  if (evidence === null) return "none asked: nothing would be proved by it here";
  const { kind, verdict, anchor } = evidence;
  const mark = anchor.origin === "caller" ? "INSECURE: " : "";
  return `${mark}${kind}, ${verdict}, genuine by ${showSafely(anchor.name)}`;
}

export function printSummary(summary: RunSummary): void {
  const style = createStyle(process.stderr);
  const { usage } = summary;
  const protection: Row = summary.protected
    ? ["protection", "protected by hardware", style.green]
    : [
        "protection",
        "INSECURE: no hardware protects this run; the host can read and change everything",
        style.yellow,
      ];
  const rows: Row[] = [
    ["keep", `${summary.backend} (${showSafely(summary.sandbox)})`],
    ...(summary.image === undefined ? [] : [["image", showSafely(summary.image)] as Row]),
    protection,
    ["evidence", describeEvidence(summary)],
    ["manifest", `sha256 ${summary.manifest}`],
    ["workload", `sha256 ${summary.workload}`],
    ["phases", formatPhases(summary.phases)],
    [
      "used",
      `${formatBytes(usage.peakMemory)} memory at most, ${formatMs(usage.wallMs)} (${formatMs(usage.cpuMs)} of CPU)`,
    ],
    ...summary.written.map(
      ({ host, paths }): Row => [
        "written back",
        `${host}: ${paths === 0 ? "nothing changed" : `${paths} changed`}`,
      ],
    ),
    ["exit", describeExit(summary)],
  ];
  writeLine("");
  const width = process.stderr.isTTY ? process.stderr.columns - NAME_WIDTH : undefined;
  for (const [name, text, paint = String] of rows) {
    const separator = name === "phases" ? ", " : " ";
    for (const [i, line] of wrapText(text, width, separator).entries()) {
      writeLine(`${style.dim((i === 0 ? name : "").padEnd(NAME_WIDTH - 2))}  ${paint(line)}`);
    }
  }
}

const NAME_WIDTH = 14;
/** Name, text, and how each line of the text is painted. */
type Row = readonly [name: string, text: string, paint?: (line: string) => string];

/** What ended a workload that did not end by itself; `null` when it did. */
export function describeEnd(outcome: RunOutcome): string | null {
  if (outcome.kind === "trap") {
    const frames = outcome.frames.map((frame) => {
      const name = showSafely(frame.function);
      const file = frame.module === "" ? "wasm" : showSafely(frame.module);
      return `    at ${name} (${file}:0x${frame.offset.toString(16)})`;
    });
    return [`the workload trapped: ${showSafely(outcome.reason)}`, ...frames].join("\n");
  }
  if (outcome.kind !== "limit") return null;
  const value = outcome.limit === "time" ? formatMs(outcome.value) : formatBytes(outcome.value);
  return `the workload was ended by its ${outcome.limit} limit of ${value}`;
}

function describeExit({ outcome, exitCode }: RunSummary): string {
  if (outcome.kind === "exit") return `${outcome.code}`;
  const what = { trap: "trap", limit: "limit", stopped: "stopped" }[outcome.kind];
  return `${exitCode} (${what})`;
}

function formatPhases(phases: Readonly<Record<string, number>>): string {
  return Object.entries(phases)
    .map(([name, ms]) => `${name} ${formatMs(ms)}`)
    .join(", ");
}

function formatMs(ms: number): string {
  return ms >= 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}
