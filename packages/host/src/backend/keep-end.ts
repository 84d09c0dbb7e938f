/** How a Keep's process ended. */
import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import type { KeepEnd } from "./backend.ts";

/** Never rejects; a program that could not be started counts as ended with 127. */
export function watchKeepEnd(child: ChildProcess): Promise<KeepEnd> {
  return new Promise((resolve) => {
    child.on("error", () => resolve({ kind: "exited", code: 127 }));
    child.on("exit", (code, signal) => resolve(toKeepEnd(code, signal)));
  });
}

/** Calls `onLate` for a Keep that said nothing on the gate within `ms`: it never will, and nobody should wait for it. */
export function limitBoot(
  gate: Socket,
  ms: number,
  ended: Promise<KeepEnd>,
  onLate: () => void,
): void {
  const timer = setTimeout(() => {
    if (gate.bytesRead === 0) onLate();
  }, ms).unref();
  ended.then(() => clearTimeout(timer));
}

/** bubblewrap and the shell tell of a signal as 128 + its number. */
function toKeepEnd(code: number | null, signal: string | null): KeepEnd {
  if (signal !== null) return { kind: "killed", signal };
  // Loaded only now: nothing that a start can do without is on its way.
  const { signals } = process.getBuiltinModule("node:os").constants;
  const name = Object.entries(signals).find(([, number]) => number + 128 === code)?.[0];
  return name === undefined
    ? { kind: "exited", code: code ?? 127 }
    : { kind: "killed", signal: name };
}
