import { writeSync } from "node:fs";
import { DonjonError, ERROR_CODES, type ErrorCode } from "@donjon/core/errors";
import { chooseErrorExit } from "./exit-codes.ts";
import { createStyle, showSafely } from "./style.ts";

/** What to do next, one line, where the sentence of the error does not say it. */
const HINTS: Partial<Record<ErrorCode, string>> = {
  "backend/unprotected": "to go on without protection, say so on the command line: --insecure",
  "manifest/unknown-key": "all keys are in docs/manifest.md",
  "manifest/value": "all keys are in docs/manifest.md",
  "policy/unknown-key": "all keys are in docs/formats/policy.md",
  "policy/value": "all keys are in docs/formats/policy.md",
  "workload/invalid": "'donjon inspect FILE' shows what is in a module",
  "workload/unsupported": "'donjon inspect FILE' shows what a module needs",
  internal: "this is a defect of Donjon; please report it with the message above",
};

/**
 * Prints a failure on stderr (`--json`: one line `{"error":...}`) and answers the exit code.
 * @param command the path of the command that failed, such as `agent token`; empty when it named none
 */
export function printFailure(error: unknown, json: boolean, command: string): number {
  const { code, message, details } = asDonjonError(error);
  if (json) writeLine(JSON.stringify({ error: { code, message, details } }));
  else {
    const style = createStyle(process.stderr);
    writeLine(`${style.red("donjon:")} ${showSafely(message)}`);
    const hint = findHint(code, command);
    if (hint) writeLine(style.dim(`  hint: ${hint}`));
  }
  return chooseErrorExit(code, command);
}

function findHint(code: ErrorCode, command: string): string | undefined {
  if (code === "usage") {
    return command === ""
      ? "'donjon help' lists the commands"
      : `'donjon help ${command}' lists the options`;
  }
  if (code === "agent/not-found") {
    return command.startsWith("agent ")
      ? "'donjon agent token list' lists who has one"
      : "'donjon ps --all' lists your Keeps";
  }
  // Who inspects has seen what this says.
  return command === "inspect" && code === "workload/invalid" ? undefined : HINTS[code];
}

/** Parts of the command are built apart, each with a copy of the class of its own: the code tells what it is. */
function asDonjonError(error: unknown): DonjonError {
  if (error instanceof DonjonError) return error;
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  if (ERROR_CODES.includes(code as ErrorCode)) return error as DonjonError;
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new DonjonError("internal", detail, { cause: error });
}

/** Time that a last line has to get out when stderr is a full pipe; nobody may read it at all. */
const LINE_WAIT_MS = 2000;
const LINE_RETRY_MS = 5;

/** Synchronous, so that it is out before the process ends. */
export function writeLine(line: string): void {
  const bytes = Buffer.from(`${line}\n`);
  const pause = new Int32Array(new SharedArrayBuffer(4));
  const deadline = process.uptime() + LINE_WAIT_MS / 1000;
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(2, bytes, at);
    } catch (error) {
      // A pipe that the workload's output has filled says EAGAIN until its reader goes on.
      const full = (error as NodeJS.ErrnoException).code === "EAGAIN";
      // Nobody reads stderr; the exit code still tells.
      if (!full || process.uptime() > deadline) return;
      Atomics.wait(pause, 0, 0, LINE_RETRY_MS);
    }
  }
}
