/** One instance of WASI preview 1, over the capabilities it is given and nothing else. */
import type { Clock } from "../capability/clock.ts";
import type { DirectoryNode } from "../capability/files.ts";
import type { Random } from "../capability/random.ts";
import type {
  Connection,
  InputStream,
  Listener,
  OutputStream,
  Waiter,
} from "../capability/stream.ts";
import { fail } from "../errno.ts";
import { type Attempts, createAttempts } from "./attempts.ts";
import type { Context } from "./context.ts";
import {
  type Descriptor,
  describeDirectory,
  describeListener,
  describeStream,
} from "./descriptor.ts";
import { createSyncImports, type ImportObject } from "./driver/sync.ts";
import { Exit } from "./exit.ts";
import { NOT_IN_UNSTABLE, THREAD_SPAWN } from "./functions.ts";
import { type Layout, SNAPSHOT_LAYOUT, UNSTABLE_LAYOUT } from "./layout.ts";
import { GuestMemory } from "./memory.ts";
import { NULL_INPUT, NULL_OUTPUT } from "./null-device.ts";
import { DescriptorTable } from "./table.ts";
import { Vectors } from "./vectors.ts";
import type { WasmMemory } from "./wasm-engine.ts";
import { Filetype } from "./witx.ts";

/** Descriptors of an instance when its maker sets no other limit; as `ulimit -n` of most systems. */
export const DEFAULT_DESCRIPTORS = 1024;
/** The most descriptors that can be asked for: the table is an array. */
export const MAX_DESCRIPTORS = 1_048_576;
/** Bytes of arguments, and of environment, with their NULs; as Linux's `ARG_MAX`. */
export const MAX_ARGS_BYTES = 2 * 1024 * 1024;

/** What the guest gets at a descriptor number. */
export type Grant =
  | { readonly kind: "null" }
  | { readonly kind: "input"; readonly stream: InputStream; readonly terminal?: boolean }
  | { readonly kind: "output"; readonly stream: OutputStream; readonly terminal?: boolean }
  | { readonly kind: "connection"; readonly connection: Connection }
  | { readonly kind: "listener"; readonly listener: Listener };

export interface Preopen {
  /** The name the guest sees, for example `/data`. */
  readonly guest: string;
  readonly directory: DirectoryNode;
  /** `false`: nothing reached through it can be changed. */
  readonly writable: boolean;
}

/** The threads proposal: answers a thread id (1 to 2^29 - 1), or `-errno`. */
export interface Threads {
  spawn(startArg: number): number;
}

export interface Preview1Options {
  readonly args: readonly string[];
  readonly env: Iterable<readonly [string, string]>;
  readonly clock: Clock;
  readonly random: Random;
  readonly waiter: Waiter;
  /**
   * Numbers 0, 1 and 2 are the first three, then come the preopens, then the others: wasi-libc looks
   * for preopens from 3 on and stops at the first number that is none.
   */
  readonly descriptors: readonly Grant[];
  readonly preopens?: readonly Preopen[];
  readonly threads?: Threads;
  /** Descriptors open at once. */
  readonly descriptorLimit?: number;
}

export interface Preview1 {
  /** For `wasi_snapshot_preview1`; blocks the calling thread in calls that must wait. */
  readonly imports: ImportObject;
  /** For `wasi_unstable`. */
  readonly unstable: ImportObject;
  /** For `wasi`: the threads proposal. */
  readonly threads: ImportObject;
  /** For other drivers. */
  readonly attempts: Attempts;
  readonly unstableAttempts: Attempts;
  /** Must be called before the guest's first call: a call without memory answers `fault`. */
  bindMemory(memory: WasmMemory): void;
  readonly exit: Exit;
  /** Closes every descriptor. */
  close(): void;
}

/**
 * Makes an instance.
 * @throws {RangeError} when arguments, environment, names or limits are out of their range.
 */
export function createPreview1(options: Preview1Options): Preview1 {
  const context = createContext(options);
  const attempts = createAttempts(context, SNAPSHOT_LAYOUT);
  let unstable: Attempts | null = null;
  const unstableAttempts = () => {
    unstable ??= createUnstable(context, UNSTABLE_LAYOUT);
    return unstable;
  };
  return {
    imports: createSyncImports(attempts, options.waiter),
    get unstable() {
      return createSyncImports(unstableAttempts(), options.waiter);
    },
    threads: { [THREAD_SPAWN]: createThreadSpawn(options.threads) },
    attempts,
    get unstableAttempts() {
      return unstableAttempts();
    },
    bindMemory: (memory) => context.memory.bind(memory),
    exit: context.exit,
    close: () => context.table.closeAll(),
  };
}

function createContext(options: Preview1Options): Context {
  const memory = new GuestMemory();
  return {
    memory,
    table: createTable(options),
    vectors: new Vectors(memory),
    clock: options.clock,
    random: options.random,
    args: encodeList("argument", options.args),
    env: encodeList("environment variable", [...options.env].map(joinVariable)),
    exit: new Exit(),
  };
}

function createUnstable(context: Context, layout: Layout): Attempts {
  const { quick, waiting } = createAttempts(context, layout);
  const has = ([name]: readonly [string, unknown]) => !NOT_IN_UNSTABLE.some((not) => not === name);
  return { quick: new Map([...quick].filter(has)), waiting: new Map([...waiting].filter(has)) };
}

function createTable(options: Preview1Options): DescriptorTable {
  const { descriptors, preopens = [], descriptorLimit = DEFAULT_DESCRIPTORS } = options;
  const granted = descriptors.length + preopens.length;
  if (!(descriptorLimit >= granted && descriptorLimit <= MAX_DESCRIPTORS)) {
    throw new RangeError(
      `Expected a descriptor limit from ${granted} (what is granted) to ${MAX_DESCRIPTORS}, found ${descriptorLimit}`,
    );
  }
  const table = new DescriptorTable(descriptorLimit);
  for (const grant of descriptors.slice(0, 3)) table.add(describeGrant(grant));
  for (const preopen of preopens) {
    preopen.directory.fs.retain(preopen.directory);
    const name = encodeText("preopen", preopen.guest);
    table.add(describeDirectory(preopen.directory, preopen.writable, name));
  }
  for (const grant of descriptors.slice(3)) table.add(describeGrant(grant));
  return table;
}

function describeGrant(grant: Grant): Descriptor {
  switch (grant.kind) {
    case "null":
      return describeStream(Filetype.unknown, NULL_INPUT, NULL_OUTPUT);
    case "input":
      return describeStream(stdioType(grant.terminal), grant.stream, null);
    case "output":
      return describeStream(stdioType(grant.terminal), null, grant.stream);
    case "connection":
      return describeStream(Filetype.socketStream, grant.connection.input, grant.connection.output);
    case "listener":
      return describeListener(grant.listener);
  }
}

/** A character device that cannot seek is what wasi-libc takes for a terminal. */
function stdioType(terminal = false) {
  return terminal ? Filetype.characterDevice : Filetype.unknown;
}

function joinVariable([key, value]: readonly [string, string]): string {
  if (key === "" || key.includes("=")) {
    throw new RangeError(`Expected an environment name without "=", found ${JSON.stringify(key)}`);
  }
  return `${key}=${value}`;
}

function encodeList(what: string, list: readonly string[]): readonly Uint8Array[] {
  const encoded = list.map((text) => encodeText(what, text, true));
  const size = encoded.reduce((sum, bytes) => sum + bytes.length, 0);
  if (size > MAX_ARGS_BYTES) {
    throw new RangeError(`Expected at most ${MAX_ARGS_BYTES} bytes of ${what}s, found ${size}`);
  }
  return encoded;
}

function encodeText(what: string, text: string, terminated = false): Uint8Array {
  if (text.includes("\0")) {
    throw new RangeError(`Expected no NUL in ${what}, found ${JSON.stringify(text)}`);
  }
  return new TextEncoder().encode(terminated ? `${text}\0` : text);
}

function createThreadSpawn(threads: Threads | undefined): (startArg: number) => number {
  return threads === undefined ? () => fail("notsup") : (startArg) => threads.spawn(startArg);
}
