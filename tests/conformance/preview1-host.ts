/** Capabilities for running a preview 1 program in this process, from a folder of the machine. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "@donjon/wasi/capability/clock";
import type { DirectoryNode } from "@donjon/wasi/capability/files";
import { createPooledRandom } from "@donjon/wasi/capability/random";
import type { OutputStream, Waiter } from "@donjon/wasi/capability/stream";
import { createMemoryFiles, type MemoryFiles } from "@donjon/wasi/files/memory-files";
import { NULL_INPUT, NULL_OUTPUT } from "@donjon/wasi/p1/null-device";
import { createPreview1, type Preview1, type Preview1Options } from "@donjon/wasi/p1/preview1";
import { type WasmMemory, wasmEngine } from "@donjon/wasi/p1/wasm-engine";

const FILES_LIMIT_BYTES = 256 * 1024 * 1024;

export const hostClock: Clock = {
  realtime: () => BigInt(Date.now()) * 1_000_000n,
  monotonic: () => process.hrtime.bigint(),
  processCpu: () => BigInt(Math.round(process.cpuUsage().user * 1000)),
  threadCpu: () => BigInt(Math.round(process.cpuUsage().user * 1000)),
  resolution: 1n,
};

/** Nothing ever becomes ready in one thread: waiting is sleeping. Fails when it would be for ever. */
export const sleepingWaiter: Waiter = {
  epoch: () => 0,
  wait(_seen, deadline) {
    if (deadline === null) throw new Error("The guest waits for something that cannot happen");
    const left = Number(deadline - process.hrtime.bigint()) / 1e6;
    if (left > 0)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.min(left, 5000));
  },
};

export const hostRandom = createPooledRandom((bytes) => crypto.getRandomValues(bytes));

export interface Collected {
  readonly stream: OutputStream;
  text(): string;
}

export function collectOutput(): Collected {
  const chunks: Uint8Array[] = [];
  return {
    stream: {
      write(memory, offset, length) {
        chunks.push(memory.slice(offset, offset + length));
        return length;
      },
      ready: () => 65_536,
      close() {},
    },
    text: () => Buffer.concat(chunks).toString(),
  };
}

/** The tree of a folder in memory. */
export function loadFolder(folder: string): MemoryFiles {
  const files = createMemoryFiles({ limitBytes: FILES_LIMIT_BYTES, clock: hostClock });
  copyFolder(files, files.root, folder);
  return files;
}

function copyFolder(files: MemoryFiles, directory: DirectoryNode, folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isSymbolicLink()) {
      expectDone(files.makeSymlink(directory, entry.name, readlinkSync(path)));
    } else if (entry.isDirectory()) {
      expectDone(files.makeDirectory(directory, entry.name));
      const made = files.lookup(directory, entry.name, false);
      if (typeof made === "number" || made.kind !== "directory") throw new Error(`Lost ${path}`);
      copyFolder(files, made, path);
    } else copyFile(files, directory, entry.name, readFileSync(path));
  }
}

function copyFile(files: MemoryFiles, at: DirectoryNode, name: string, bytes: Uint8Array): void {
  const file = files.open(at, name, {
    follow: false,
    create: true,
    exclusive: true,
    truncate: false,
    directory: false,
    write: true,
  });
  if (typeof file === "number" || file.kind !== "file") throw new Error(`Cannot create ${name}`);
  expectDone(file.write(bytes, 0, bytes.length, 0));
}

function expectDone(outcome: number): void {
  if (outcome < 0) throw new Error(`Expected to copy a folder, found errno ${-outcome}`);
}

export type GuestEnd =
  | { readonly kind: "exit"; readonly code: number }
  | { readonly kind: "trap"; readonly reason: string };

/** Runs a command (`_start`) to its end. */
export function runCommand(bytes: Uint8Array, options: Preview1Options): GuestEnd {
  const wasi = createPreview1(options);
  const { exports } = new wasmEngine.Instance(new wasmEngine.Module(bytes), {
    wasi_snapshot_preview1: wasi.imports,
    wasi_unstable: wasi.unstable,
    wasi: wasi.threads,
  });
  wasi.bindMemory(exports["memory"] as WasmMemory);
  try {
    (exports["_start"] as () => void)();
    return { kind: "exit", code: 0 };
  } catch (error) {
    return endOf(wasi, error);
  } finally {
    wasi.close();
  }
}

function endOf(wasi: Preview1, error: unknown): GuestEnd {
  if (wasi.exit.isExit(error)) return { kind: "exit", code: wasi.exit.code ?? 0 };
  if (error instanceof Error && error.name === "RuntimeError")
    return { kind: "trap", reason: error.message };
  throw error;
}

/** Stdio that is empty and goes nowhere. */
export const NULL_GRANTS = [
  { kind: "input", stream: NULL_INPUT },
  { kind: "output", stream: NULL_OUTPUT },
  { kind: "output", stream: NULL_OUTPUT },
] as const;
