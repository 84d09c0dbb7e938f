import type { ErrorCode } from "@donjon/core/errors";
import type { RunOutcome } from "@donjon/protocol/session/outcome";

/**
 * Exit codes of `donjon` (docs/manifest.md has the same table). The workload's own code passes
 * through; the others follow what a shell shows for a native program (128 + signal) or what
 * `timeout` and `env` use.
 */
export const EXIT = {
  ok: 0,
  /** `diff`: the evidence differs. */
  different: 1,
  /** `platform`: no hardware protects a Keep here. */
  unprotected: 1,
  /** Evidence commands: wrong usage, a file that cannot be read or written, a wrong policy. */
  usage: 2,
  /** Evidence refused. */
  refused: 120,
  /** The time limit ended the workload, as `timeout` does. */
  timeLimit: 124,
  /** Donjon itself failed: wrong usage, no Keep, a session that broke, changes that could not be written. */
  failed: 125,
  /** The workload cannot run: no module, or one that this engine does not support. */
  cannotRun: 126,
  /** The workload or its manifest is not there. */
  notFound: 127,
  /** Interrupted: SIGINT. */
  interrupted: 130,
  /** A trap, as abort: SIGABRT. */
  trap: 134,
  /** Killed, or out of memory: SIGKILL. */
  killed: 137,
  /** Nobody reads stdout any more: SIGPIPE. */
  brokenPipe: 141,
  /** Asked to end: SIGTERM. */
  terminated: 143,
  /** The output limit ended the workload: SIGXFSZ. */
  outputLimit: 153,
} as const;

/** Failures of Donjon that are not `EXIT.failed`. */
const BY_ERROR: Partial<Record<ErrorCode, number>> = {
  "evidence/malformed": EXIT.refused,
  "evidence/refused": EXIT.refused,
  "workload/not-found": EXIT.notFound,
  "workload/invalid": EXIT.cannotRun,
  "workload/unsupported": EXIT.cannotRun,
  "workload/limit": EXIT.cannotRun,
};

/**
 * Commands about evidence answer 2 where `run` answers 125: no workload's exit code can be mistaken for it, and 2 is what
 * tools of this kind use.
 */
const EVIDENCE_COMMANDS: ReadonlySet<string> = new Set(["verify", "explain", "diff", "bundle"]);
const USAGE_AREAS = ["usage", "files", "policy"];
/** Input that is not well formed: for `run` a defect of somebody's, for these commands the answer. */
const MALFORMED_AREA = "bytes";

const BY_LIMIT = { time: EXIT.timeLimit, memory: EXIT.killed, output: EXIT.outputLimit } as const;

/** @param command the name of the command that failed */
export function chooseErrorExit(code: ErrorCode, command = ""): number {
  if (EVIDENCE_COMMANDS.has(command)) {
    const area = code.split("/", 1)[0]!;
    if (USAGE_AREAS.includes(area)) return EXIT.usage;
    if (area === MALFORMED_AREA) return EXIT.refused;
  }
  return BY_ERROR[code] ?? EXIT.failed;
}

export function chooseOutcomeExit(outcome: RunOutcome): number {
  switch (outcome.kind) {
    case "exit":
      // A process can show the low eight bits only; a failure must not become 0 by that.
      return outcome.code & 0xff || (outcome.code === 0 ? 0 : 1);
    case "trap":
      return EXIT.trap;
    case "limit":
      return BY_LIMIT[outcome.limit];
    case "stopped":
      return outcome.how === "interrupt" ? EXIT.interrupted : EXIT.killed;
  }
}
