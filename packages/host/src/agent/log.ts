/** The agent's log: one line per event, JSON for machines, words on a terminal. Never bodies, tokens or streams. */

export type LogLevel = "info" | "warn" | "error";
export type LogFields = Readonly<Record<string, string | number | boolean | null>>;
export type Log = (level: LogLevel, event: string, fields?: LogFields) => void;

/** `write` takes a line with its end. */
export function createLog(write: (line: string) => void, human: boolean): Log {
  return (level, event, fields = {}) => {
    const time = new Date().toISOString();
    if (human) {
      const rest = Object.entries(fields).map(([name, value]) => `${name}=${formatValue(value)}`);
      const mark = level === "info" ? "" : `${level}: `;
      write(`${time.slice(11, 19)} ${[mark + event, ...rest].join(" ")}\n`);
    } else write(`${JSON.stringify({ time, level, event, ...fields })}\n`);
  };
}

/** Callers choose names and paths: control characters and line ends stay visible marks. */
function formatValue(value: string | number | boolean | null): string {
  const text = String(value).replace(/\p{Cc}/gu, "\ufffd");
  return /^[\w./:@+-]*$/.test(text) ? text : JSON.stringify(text);
}
