import { uptimeMs } from "../uptime.ts";
import { writeLine } from "./failure.ts";

/** Work that is over sooner shows nothing. */
const QUIET_MS = 300;
/** Between two updates of the line. */
const STEP_MS = 100;
const CLEAR = "\r\u001b[K";

/** One line on a terminal for work that takes long; nothing elsewhere. */
export class Progress {
  readonly #on: boolean;
  #start = 0;
  #shown = 0;
  #label = "";

  constructor(on: boolean) {
    this.#on = on;
  }

  begin(label: string): void {
    this.#label = label;
    this.#start = uptimeMs();
    this.#shown = 0;
  }

  update(done: number, total: number): void {
    const now = uptimeMs();
    if (!this.#on || now - this.#start < QUIET_MS || now - this.#shown < STEP_MS) return;
    this.#shown = now;
    const percent = total === 0 ? 100 : Math.floor((100 * done) / total);
    process.stderr.write(`${CLEAR}${this.#label} ${percent} % of ${formatBytes(total)}`);
  }

  /** Takes the line away. */
  end(): void {
    if (this.#shown > 0) process.stderr.write(CLEAR);
    this.#shown = 0;
  }

  /** A line that stays. */
  note(text: string): void {
    this.end();
    writeLine(text);
  }
}

export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
