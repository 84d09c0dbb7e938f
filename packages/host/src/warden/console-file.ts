/** The Keep's console in a file of bounded size. */
import { appendFileSync } from "node:fs";
import { MAX_CONSOLE_BYTES } from "@donjon/protocol/agent/limits";

const FULL = "(no more lines are kept)";

/** Answers what takes a line. A disk that is full loses lines, never the Keep. */
export function openConsoleFile(path: string): (line: string) => void {
  let room = MAX_CONSOLE_BYTES;
  const append = (line: string): void => {
    try {
      appendFileSync(path, `${line}\n`, { mode: 0o600 });
    } catch {
      room = 0;
    }
  };
  return (line) => {
    const size = Buffer.byteLength(line) + 1;
    if (room <= 0) return;
    room -= size;
    append(room > FULL.length ? line : FULL);
    if (room <= FULL.length) room = 0;
  };
}
