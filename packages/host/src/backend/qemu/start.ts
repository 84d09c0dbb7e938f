/** Starts QEMU as a Keep: the gate's pipes, the console's lines, and the end. */
import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { KeepEnd } from "../backend.ts";
import { limitBoot, watchKeepEnd } from "../keep-end.ts";
import { createLineReader } from "../lines.ts";
import { spawnApart } from "../spawn.ts";
import { QEMU_DESCRIPTORS } from "./arguments.ts";

export interface StartedQemu {
  readonly in: Duplex;
  readonly out: Duplex;
  /** A port of the machine cannot say that one direction has ended. */
  readonly lane: null;
  /** `exited` with 0 when the guest ended the machine. Never rejects. */
  readonly ended: Promise<KeepEnd>;
  kill(): void;
}

/** What the kernel says when the first process ends the machine. */
const RESTART_LINE = /^\[ *[0-9.]+\] reboot: /;

/** A machine without KVM on a busy host takes a tenth of it. */
const BOOT_MS = 180_000;

/**
 * `command`: the program, as `Confinement.wrap` gives it. `onConsole` gets the guest's console and QEMU's own errors.
 * A guest that has said nothing on the gate after `bootMs` never will: it is ended, so that nobody waits for it.
 */
export function startQemu(
  [program, ...args]: readonly string[],
  onConsole: (line: string) => void,
  bootMs = BOOT_MS,
): StartedQemu {
  const child = spawnApart(program!, args, {
    cwd: "/",
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
  const gate = pipe(child, QEMU_DESCRIPTORS.in);
  const ended = watchKeepEnd(child);
  limitBoot(gate, bootMs, ended, () => {
    onConsole(`the machine did not come up within ${bootMs / 1000} s`);
    child.kill("SIGKILL");
  });
  return {
    in: gate,
    out: pipe(child, QEMU_DESCRIPTORS.out),
    lane: null,
    ended,
    kill: () => void child.kill("SIGKILL"),
  };
}

function pipe(child: ChildProcess, descriptor: number): Socket {
  const stream = child.stdio[descriptor as 3] as unknown as Socket;
  // A dead machine resets its pipes; `ended` tells of it.
  stream.on("error", () => {});
  return stream;
}
