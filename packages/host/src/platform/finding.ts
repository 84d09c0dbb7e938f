/** One thing that a machine has or lacks: what was found, what was tried, what to do about a miss. */

export const FINDING_NAMES = [
  "processor",
  "microcode",
  "snp",
  "tdx",
  "sgx",
  "kvm",
  "qemu",
  "snp-firmware",
  "tdx-firmware",
  "image",
  "bubblewrap",
  "collateral",
  "gramine",
] as const;

export type FindingName = (typeof FINDING_NAMES)[number];

export interface Finding {
  readonly name: FindingName;
  /** `unknown`: the probe did not come to an end, or could not be run. */
  readonly state: "yes" | "no" | "unknown";
  /** A clause for people. */
  readonly found: string;
  /** Files, devices and commands that were looked at. */
  readonly tried: string;
  /** What to do about a miss; `null` where nothing is missing or nothing can be done. */
  readonly todo: string | null;
  /** For programs. */
  readonly facts: Readonly<Record<string, string | number | boolean | null>>;
}

/** A finding without what is the same for all answers of its probe. */
export type Answer = Pick<Finding, "state" | "found"> & Partial<Pick<Finding, "todo" | "facts">>;

export interface Probe {
  readonly name: FindingName;
  readonly tried: string;
  readonly run: () => Answer | Promise<Answer>;
}

/** Runs a probe to its end or to its time limit. Never rejects. */
export async function runProbe({ name, tried, run }: Probe, timeoutMs: number): Promise<Finding> {
  const complete = ({ state, found, todo = null, facts = {} }: Answer): Finding => {
    return { name, state, found, tried, todo, facts };
  };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Answer>((resolve) => {
    timer = setTimeout(
      () => resolve({ state: "unknown", found: `no answer within ${timeoutMs} ms` }),
      timeoutMs,
    );
  });
  try {
    return complete(await Promise.race([(async () => run())(), late]));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return complete({ state: "unknown", found: `the probe failed: ${why}` });
  } finally {
    clearTimeout(timer);
  }
}
