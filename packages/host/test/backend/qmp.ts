/** Asks a QEMU about itself, over its monitor (QMP); no machine runs. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";

const INSTALLED = "/usr/bin/qemu-system-x86_64";

/** The installed QEMU, and the one that `DONJON_QEMU_NEXT` names, such as a newer one than the distribution has. */
export const QEMUS = [INSTALLED, process.env["DONJON_QEMU_NEXT"] ?? ""].filter(existsSync);

export interface Qmp {
  /** The `return` of the answer. Rejects with QEMU's own sentence. */
  ask(command: string, args?: object): Promise<unknown>;
  close(): Promise<void>;
}

/** Rejects with what QEMU wrote on stderr when it does not come up. */
export async function openQmp(qemu: string, args: readonly string[] = []): Promise<Qmp> {
  const common = ["-M", "none", "-nodefaults", "-no-user-config", "-display", "none", "-S"];
  const child = spawn(qemu, [...common, ...args, "-qmp", "stdio"]);
  let said = "";
  child.stderr.on("data", (chunk) => {
    said += String(chunk);
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(said);
    return JSON.parse(value) as { return?: unknown; error?: { desc: string } };
  };
  const qmp = { ask: askOver(child, read), close: () => close(child) };
  try {
    await read();
    await qmp.ask("qmp_capabilities");
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  return qmp;
}

function askOver(
  child: ChildProcessWithoutNullStreams,
  read: () => Promise<{ return?: unknown; error?: { desc: string } }>,
): Qmp["ask"] {
  return async (command, args = {}) => {
    child.stdin.write(`${JSON.stringify({ execute: command, arguments: args })}\n`);
    for (;;) {
      const answer = await read();
      if (answer.error) throw new Error(answer.error.desc);
      if ("return" in answer) return answer.return;
    }
  };
}

async function close(child: ChildProcessWithoutNullStreams): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

/** Names of the properties of an object type; `null` when this QEMU has no such type. */
export async function listProperties(qmp: Qmp, typename: string): Promise<string[] | null> {
  try {
    const list = await qmp.ask("qom-list-properties", { typename });
    return (list as { name: string }[]).map(({ name }) => name);
  } catch (error) {
    if (/not found/.test(String(error))) return null;
    throw error;
  }
}

/** The values of `-object` in a command line. */
export function readObjects(args: readonly string[]): Record<string, unknown>[] {
  return args.flatMap((word, at) => (word === "-object" ? [JSON.parse(args[at + 1]!)] : []));
}

/** The value that follows a word of a command line. */
export function readOption(args: readonly string[], word: string): string {
  const at = args.indexOf(word);
  if (at === -1) throw new Error(`no ${word}`);
  return args[at + 1]!;
}
