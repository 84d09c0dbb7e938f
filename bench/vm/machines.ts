/** Machines that go a part of a VM Keep's way: the image with another first process or another runtime. */
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { encodeQemuArguments, QEMU_DESCRIPTORS } from "@donjon/host/backend/qemu/arguments";
import { findQemu } from "@donjon/host/backend/qemu/find";
import { VM_BOARD, VM_TCG_CPU } from "@donjon/host/backend/vm";
import { type CpioEntry, encodeCpio } from "@donjon/host/image/cpio";
import { type KeepImageFiles, searchImage } from "@donjon/host/image/find";
import { assembleGuestProgram } from "@donjon/host/image/guest-code";
import { encodeGuestInit, GUEST_DIRECTORIES } from "@donjon/host/image/guest-init";
import { listTree } from "@donjon/host/image/tree";

const RUNTIME = join(import.meta.dirname, "../../packages/keep/dist/keep.cjs");
const WORD = "donjon bench";
const WRITE = 1;
const REBOOT = 169;

export interface Machine {
  readonly name: string;
  readonly initrd: string;
  /** The guest has come so far when its console holds this. */
  readonly word: string;
  readonly commandLine: string;
}

export interface Arrival {
  /** From `spawn` to the word. */
  readonly ms: number;
  /** Instructions of the guest until it restarted; only when counted. */
  readonly instructions: number;
}

export function needImage(): KeepImageFiles {
  const { image, ...miss } = searchImage({ engine: process.execPath, runtime: RUNTIME });
  if (image === null) throw new Error(`${(miss as { why: string }).why}; donjon image build`);
  return image;
}

/** In the order of a start: each goes one step further than the one before. */
export function createMachines(image: KeepImageFiles, folder: string): Machine[] {
  const commandLine = readFileSync(image.cmdline, "utf8");
  const greeting = assembleGuestProgram({
    variables: {},
    lines: [
      { op: "call", call: WRITE, arguments: [2, `${WORD}\n`, WORD.length + 1] },
      { op: "call", call: REBOOT, arguments: [0xfee1dead, 0x28121969, 0x01234567, 0] },
    ],
  });
  const folders = [...GUEST_DIRECTORIES, "/lib64"].map(
    (path): CpioEntry => ({ path: path.slice(1), kind: "directory" }),
  );
  const tree = listTree(image.tree).map(
    ({ path, source }): CpioEntry => ({ path, kind: "file", executable: true, contents: source }),
  );
  const file = (path: string, contents: Uint8Array): CpioEntry => ({
    path,
    kind: "file",
    executable: true,
    contents,
  });
  const script = `process._rawDebug(${JSON.stringify(WORD)}); process.kill(process.pid, "SIGKILL");`;
  const others = tree.filter(({ path }) => path !== "keep/runtime.cjs");
  const write = (name: string, entries: readonly CpioEntry[]): string => {
    const path = join(folder, `${name}.cpio`);
    const output = openSync(path, "w");
    for (const chunk of encodeCpio([...folders, ...entries])) writeSync(output, chunk);
    closeSync(output);
    return path;
  };
  const bare = write("bare", [file("init", greeting)]);
  return [
    {
      name: "QEMU and firmware, to the kernel's first line",
      initrd: bare,
      word: "Linux version",
      commandLine: `${commandLine.replace(/quiet loglevel=\d/, "")} earlyprintk=serial`,
    },
    { name: "kernel, to its first process", initrd: bare, word: WORD, commandLine },
    {
      name: "unpacking the initrd",
      initrd: write("full", [...tree, file("init", greeting)]),
      word: WORD,
      commandLine,
    },
    {
      name: "first process and engine, to the first line of JavaScript",
      initrd: write("engine", [
        ...others,
        file("keep/runtime.cjs", new TextEncoder().encode(script)),
        file("init", encodeGuestInit()),
      ]),
      word: WORD,
      commandLine,
    },
  ];
}

/** Boots until the word is there. `count`: goes on to the restart, and counts instructions; then the time means nothing. */
export async function bootMachine(
  image: KeepImageFiles,
  { initrd, word, commandLine }: Machine,
  count = false,
): Promise<Arrival> {
  const qemu = findQemu();
  if (qemu === null) throw new Error("there is no QEMU");
  const args = encodeQemuArguments({
    machine: VM_BOARD,
    accelerator: count ? "tcg" : "tcg,thread=multi",
    cpu: VM_TCG_CPU,
    vcpus: 1,
    memoryMib: 2048,
    kernel: image.vmlinux,
    initrd,
    commandLine,
    extra: count ? ["-icount", "shift=0,sleep=off"] : [],
  });
  const started = performance.now();
  const child = spawn(qemu, args, {
    stdio: ["ignore", "ignore", "inherit", "pipe", "pipe", "pipe"],
  });
  let text = "";
  let ms = 0;
  const console = (child.stdio as readonly unknown[])[QEMU_DESCRIPTORS.console] as Readable;
  console.on("data", (piece: Uint8Array) => {
    text += Buffer.from(piece).toString("latin1");
    if (ms > 0 || !text.includes(word)) return;
    ms = performance.now() - started;
    if (!count) child.kill("SIGKILL");
  });
  await new Promise((resolve) => child.on("exit", resolve));
  if (ms === 0) throw new Error(`the machine never said "${word}": ${text.slice(-300)}`);
  const restart = /\[ *([0-9.]+)\] reboot: /.exec(text);
  return { ms, instructions: restart === null ? 0 : Number(restart[1]) * 1e9 };
}
