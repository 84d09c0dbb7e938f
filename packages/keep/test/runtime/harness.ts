/** Runs a guest of `guests/` in an engine room of its own. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { createEngineRoom } from "../../src/runtime/engine-room.ts";
import type {
  ByteSource,
  DescriptorSpec,
  Workload,
  WorkloadLimits,
  WorkloadSpec,
} from "../../src/runtime/workload.ts";

const STDIO: readonly DescriptorSpec[] = [
  { kind: "stdin", name: "stdin", terminal: false },
  { kind: "stdout", name: "stdout", terminal: false },
  { kind: "stderr", name: "stderr", terminal: false },
];

export const LIMITS: WorkloadLimits = {
  memoryBytes: 64 << 20,
  filesBytes: 64 << 20,
  timeMs: null,
  descriptors: 64,
  threads: 8,
  outputBytes: null,
};

export type GuestSpec = Partial<Omit<WorkloadSpec, "limits" | "module" | "args">> & {
  readonly guest: string | Uint8Array;
  /** Number of arguments: how the guests of these tests choose what to do. */
  readonly argc?: number;
  readonly limits?: Partial<WorkloadLimits>;
  readonly heapMb?: number;
};

export function guestBytes(name: string): Uint8Array {
  return readFileSync(join(import.meta.dirname, "guests", `${name}.wasm`));
}

/** Starts a guest; its engine room is closed when the test ends. */
export function startGuest(test: TestContext, spec: GuestSpec): Workload {
  const room = createEngineRoom(spec.heapMb === undefined ? {} : { heapMb: spec.heapMb });
  test.after(() => room.close());
  const { guest, argc = 0, limits, heapMb: _, ...rest } = spec;
  return room.run({
    env: new Map(),
    descriptors: STDIO,
    mounts: [],
    clockFloorNs: 0n,
    ...rest,
    module: typeof guest === "string" ? guestBytes(guest) : guest,
    args: Array.from({ length: argc }, () => "x"),
    limits: { ...LIMITS, ...limits },
  });
}

export { STDIO };

/** Resolves when there is something to read, or the end. */
export function readable(source: ByteSource): Promise<void> {
  return new Promise((resolve) => {
    if (source.read() !== null) return resolve();
    source.onReadable = () => {
      if (source.read() === null) return;
      source.onReadable = null;
      resolve();
    };
  });
}

/** Everything until the end. */
export async function readAll(source: ByteSource): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (;;) {
    await readable(source);
    const bytes = source.read();
    if (bytes === undefined) return Buffer.concat(pieces);
    if (bytes === null) continue;
    pieces.push(Buffer.copyBytesFrom(bytes));
    source.consume(bytes.length);
  }
}
