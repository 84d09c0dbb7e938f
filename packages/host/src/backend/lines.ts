/** Lines that a Keep's runtime writes, made fit for a terminal: the Keep is not trusted with escape sequences. */
import { MAX_CONSOLE_LINE, MAX_CONSOLE_LINES } from "@donjon/protocol/limits";

/** Control characters become a visible mark; too long a line is cut. */
export function cleanLine(line: string): string {
  return line.slice(0, MAX_CONSOLE_LINE).replace(/\p{Cc}/gu, "\ufffd");
}

/** Takes chunks, calls back with each line; after `MAX_CONSOLE_LINES` it drops the rest. */
export function createLineReader(onLine: (line: string) => void): (chunk: Uint8Array) => void {
  const decoder = new TextDecoder();
  let rest = "";
  let count = 0;
  return (chunk) => {
    if (count > MAX_CONSOLE_LINES) return;
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop()!.slice(0, MAX_CONSOLE_LINE);
    for (const line of lines) {
      count += 1;
      if (count <= MAX_CONSOLE_LINES) onLine(cleanLine(line));
    }
  };
}
