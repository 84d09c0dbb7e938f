/** Starts QEMU as a Keep: the gate's pipes, the console's lines, and the end. */
import { type ChildProcess, spawn } from "node:child_process";
import type { Duplex } from "node:stream";
import type { KeepEnd } from "../backend.ts";
import { watchKeepEnd } from "../keep-end.ts";
import { createLineReader } from "../lines.ts";
import { QEMU_DESCRIPTORS } from "./arguments.ts";

export interface StartedQemu {
  readonly in: Duplex;
  readonly out: Duplex;
  /** `exited` with 0 when the guest ended the machine. Never rejects. */
  readonly ended: Promise<KeepEnd>;
  kill(): void;
}

/** What the kernel says when the first process ends the machine. */
const RESTART_LINE = /^\[ *[0-9.]+\] reboot: /;

/** `command`: the program, as `Confinement.wrap` gives it. `onConsole` gets the guest's console and QEMU's own errors. */
export function startQemu(
  [program, ...args]: readonly string[],
  onConsole: (line: string) => void,
): StartedQemu {
  // A session of its own: the terminal's Ctrl-C is for the command, which then asks the Keep to stop.
  const child = spawn(program!, args, {
    cwd: "/",
    env: {},
    detached: true,
    stdio: ["ignore", "ignore", "pipe", "pipe", "pipe", "pipe"],
  });
  const onLine = (line: string) => {
    if (line !== "" && !RESTART_LINE.test(line)) onConsole(line);
  };
  child.stderr!.on("data", createLineReader(onLine));
  const read = createLineReader(onLine);
  // A serial line ends its lines with CR LF.
  pipe(child, QEMU_DESCRIPTORS.console).on("data", (chunk: Uint8Array) =>
    read(chunk.filter((octet) => octet !== 13)),
  );
  return {
    in: pipe(child, QEMU_DESCRIPTORS.in),
    out: pipe(child, QEMU_DESCRIPTORS.out),
    ended: watchKeepEnd(child),
    kill: () => void child.kill("SIGKILL"),
  };
}

function pipe(child: ChildProcess, descriptor: number): Duplex {
  const stream = child.stdio[descriptor as 3] as unknown as Duplex;
  // A dead machine resets its pipes; `ended` tells of it.
  stream.on("error", () => {});
  return stream;
}
