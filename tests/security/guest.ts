/** Runs the hostile guests of `guests/` with the `donjon` command, as a user does. */
import { join } from "node:path";
import { donjonRun, type Finished } from "../support/keep.ts";

export const guestPath = (name: string): string =>
  join(import.meta.dirname, "guests", `${name}.wasm`);

export interface GuestRun {
  readonly flags?: readonly string[];
  readonly args?: readonly string[];
}

export function runGuest(
  name: string,
  { flags = [], args = [] }: GuestRun = {},
): Promise<Finished> {
  return donjonRun([guestPath(name), ...flags, "--", ...args]);
}

/** What `--json` says on stderr. */
export interface Report {
  readonly run: {
    readonly outcome: { readonly kind: string; readonly limit?: string };
    readonly usage: { readonly peakMemory: number; readonly wallMs: number };
  };
}

/** Runs with `--json`; the report is the last line on stderr. */
export async function measureGuest(
  name: string,
  run: GuestRun,
): Promise<Finished & { readonly report: Report["run"] }> {
  const finished = await runGuest(name, { ...run, flags: ["--json", ...(run.flags ?? [])] });
  const line = finished.stderr.trimEnd().split("\n").at(-1)!;
  const { run: report } = JSON.parse(line) as Report;
  if (report === undefined) throw new Error(`no report: ${finished.stderr}`);
  return { ...finished, report };
}

/** The lines "name number" of a guest as a table; a name that comes again has its last number. */
export function readNumbers(stdout: string): Map<string, number> {
  return new Map(
    stdout
      .trimEnd()
      .split("\n")
      .map((line) => {
        const space = line.lastIndexOf(" ");
        return [line.slice(0, space), Number(line.slice(space + 1))];
      }),
  );
}
