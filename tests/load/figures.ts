/** What grows in a process that leaks. */
import { countDescriptors, type ProcessMark, residentBytes } from "../support/processes.ts";

export interface Figures {
  readonly descriptors: number;
  readonly residentBytes: number;
}

export function measure(mark: ProcessMark): Figures {
  return { descriptors: countDescriptors(mark), residentBytes: residentBytes(mark) };
}

export interface Growth {
  readonly what: string;
  readonly before: Figures;
  readonly after: Figures;
}

const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);

/** A Markdown table. */
export function formatGrowth(rows: readonly Growth[]): string {
  return [
    "| process | descriptors before | after | MiB in memory before | after |",
    "|---|---:|---:|---:|---:|",
    ...rows.map(
      ({ what, before, after }) =>
        `| ${what} | ${before.descriptors} | ${after.descriptors} | ${mebibytes(before.residentBytes)} | ${mebibytes(after.residentBytes)} |`,
    ),
  ].join("\n");
}
