/** An instance for tests: its functions called as a guest would, over a memory of its own. */
import { createPooledRandom } from "../../../src/capability/random.ts";
import type { Waiter } from "../../../src/capability/stream.ts";
import { createMemoryFiles, type MemoryFiles } from "../../../src/files/memory-files.ts";
import type { FunctionName } from "../../../src/p1/functions.ts";
import { createPreview1, type Preview1, type Preview1Options } from "../../../src/p1/preview1.ts";

export const PAGE = 65_536;

/** A clock that moves only when told to. */
export function createManualClock() {
  const clock = {
    now: 1_000n,
    realtime: () => 1_700_000_000_000_000_000n + clock.now,
    monotonic: () => clock.now,
    processCpu: () => 5n,
    threadCpu: () => 6n,
    resolution: 1n,
  };
  return clock;
}

export type ManualClock = ReturnType<typeof createManualClock>;

/** A waiter that calls back instead of waiting, so that a test can make something happen. */
export interface ManualWaiter extends Waiter {
  readonly waits: (bigint | null)[];
  onWait: (deadline: bigint | null) => void;
}

export function createManualWaiter(): ManualWaiter {
  const waiter: ManualWaiter = {
    waits: [],
    onWait: () => {
      throw new Error("Expected no wait");
    },
    epoch: () => waiter.waits.length,
    wait(_seen, deadline) {
      waiter.waits.push(deadline);
      waiter.onWait(deadline);
    },
  };
  return waiter;
}

export interface TestInstance {
  readonly wasi: Preview1;
  readonly memory: WebAssembly.Memory;
  readonly files: MemoryFiles;
  readonly clock: ManualClock;
  readonly waiter: ManualWaiter;
  /** Calls a function; arguments as wasm passes them, numbers above 2^31 wrapped. */
  call(name: FunctionName, ...args: (number | bigint)[]): number;
  callUnstable(name: FunctionName, ...args: (number | bigint)[]): number;
  view(): DataView;
  bytes(): Uint8Array;
  put(at: number, bytes: Uint8Array | string): void;
  text(at: number, length: number): string;
}

export interface TestOptions extends Partial<Preview1Options> {
  readonly pages?: number;
  readonly shared?: boolean;
}

export function createInstance(options: TestOptions = {}): TestInstance {
  const { pages = 2, shared = false } = options;
  const clock = createManualClock();
  const waiter = createManualWaiter();
  const files = createMemoryFiles({ limitBytes: 1 << 24, clock });
  const wasi = createPreview1({
    args: [],
    env: [],
    clock,
    random: createPooledRandom((bytes) => crypto.getRandomValues(bytes)),
    waiter,
    descriptors: [{ kind: "null" }, { kind: "null" }, { kind: "null" }],
    preopens: [{ guest: "/", directory: files.root, writable: true }],
    ...options,
  });
  const memory = new WebAssembly.Memory(
    shared ? { initial: pages, maximum: pages + 4, shared } : { initial: pages },
  );
  wasi.bindMemory(memory);
  const bytes = () => new Uint8Array(memory.buffer);
  const calling = (imports: Preview1["imports"]) => {
    return (name: FunctionName, ...args: (number | bigint)[]) => {
      const wrapped = args.map((arg) =>
        typeof arg === "number" ? arg | 0 : BigInt.asIntN(64, arg),
      );
      return (imports[name] as unknown as (...args: (number | bigint)[]) => number)(...wrapped);
    };
  };
  return {
    wasi,
    memory,
    files,
    clock,
    waiter,
    call: calling(wasi.imports),
    callUnstable: calling(wasi.unstable),
    view: () => new DataView(memory.buffer),
    bytes,
    put(at, content) {
      bytes().set(typeof content === "string" ? new TextEncoder().encode(content) : content, at);
    },
    text: (at, length) => new TextDecoder().decode(bytes().slice(at, at + length)),
  };
}

/** One iovec for each range, at `at`. */
export function putIovs(
  instance: TestInstance,
  at: number,
  ...ranges: readonly (readonly [number, number])[]
): void {
  const view = instance.view();
  ranges.forEach(([pointer, length], index) => {
    view.setUint32(at + index * 8, pointer, true);
    view.setUint32(at + index * 8 + 4, length, true);
  });
}
