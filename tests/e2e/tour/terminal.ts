/** Commands at a terminal, as a user gives them: `script` gives each one of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { readScreen } from "./transcript.ts";

export interface Terminal {
  /** All that is on the screen, and the exit code, once the command has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly screen: string }>;
  /** Resolves when the screen holds `count` lines; rejects when the command ends before. */
  untilLines(count: number): Promise<string>;
  readonly child: ChildProcess;
}

export function startTerminal(
  command: string,
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Terminal {
  const child = spawn("script", ["-qec", command, "/dev/null"], {
    ...options,
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  let bytes = "";
  const waiting = new Set<() => void>();
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    bytes += text;
    for (const look of waiting) look();
  });
  const { promise: ended, resolve, reject } = Promise.withResolvers<Awaited<Terminal["ended"]>>();
  child.on("error", reject);
  child.on("close", (code) => resolve({ code, screen: readScreen(bytes) }));
  const untilLines = (count: number): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const lines = readScreen(bytes).split("\n");
        if (lines.length <= count) return;
        waiting.delete(look);
        resolve(lines.slice(0, count).join("\n"));
      };
      waiting.add(look);
      ended.then(({ screen }) => reject(new Error(`'${command}' ended: ${screen}`)), reject);
      look();
    });
  return { ended, untilLines, child };
}
