/** What a hostile host does to a Keep: attacks on single streams of the gate, and on the pipes as a whole. */
import { type Duplex, duplexPair } from "node:stream";
import { openSession } from "@donjon/client/session";
import type { Gate } from "@donjon/host/gate/gate";
import { MUX_PROTOCOL } from "@donjon/protocol/gate/mux";
import { encodeMuxFrame, encodeU32, MUX_KIND } from "@donjon/protocol/gate/mux-frame";
import { MAX_GATE_STREAMS } from "@donjon/protocol/limits";
import { createProvision } from "@donjon/testkit/contract/keep-fixture";
import { createMutator } from "../fuzz/mutator.ts";

/** Streams that an attack leaves open and never uses again. */
const MAX_HALF_OPEN = 500;
const FLOOD = 200;

export interface Attack {
  readonly name: string;
  /** Resolves when what it sent has left. */
  run(): Promise<void>;
}

/** What a client sends in a genuine session, up to where it waits for an answer. */
export async function recordSession(workload: Uint8Array): Promise<Uint8Array> {
  const [near, far] = duplexPair();
  const run = openSession(near).provision(createProvision(workload));
  run.result.catch(() => {});
  run.provisioned.catch(() => {});
  run.started.catch(() => {});
  const pieces: Uint8Array[] = [];
  far.on("data", (piece: Uint8Array) => pieces.push(piece));
  for (let count = -1; count !== pieces.length || count === 0; ) {
    count = pieces.length;
    await new Promise((resolve) => setImmediate(resolve));
  }
  near.on("error", () => {}).destroy();
  return Buffer.concat(pieces);
}

/** Attacks that may cost their own streams and nothing else. `seeds`: the bytes of a genuine session. */
export function createStreamAttacks(
  gate: Gate,
  seeds: readonly Uint8Array[],
  seed: number,
): Attack[] {
  const mutator = createMutator(seed);
  const halfOpen: Duplex[] = [];
  const open = (index: number): Duplex =>
    quiet(index % 2 === 0 ? gate.openBareSession() : gate.openSession());
  const bytes = (): Uint8Array => mutator.next(seeds);
  return [
    { name: "mutated session, ended", run: () => send(open(0), bytes(), true) },
    { name: "mutated TLS, ended", run: () => send(open(1), bytes(), true) },
    { name: "mutated session, cut off", run: () => send(open(0), bytes(), false) },
    { name: "truncated session", run: () => send(open(0), cut(bytes()), false) },
    {
      name: "half-open streams",
      async run() {
        for (let count = 0; count < 50; count++) halfOpen.push(open(count));
        const excess = halfOpen.splice(0, Math.max(0, halfOpen.length - MAX_HALF_OPEN));
        for (const stream of excess) stream.destroy();
      },
    },
    {
      name: "flood of streams that vanish",
      async run() {
        for (let count = 0; count < FLOOD; count++) open(count).destroy();
      },
    },
    {
      name: "flood of questions",
      run: () => Promise.allSettled(Array.from({ length: FLOOD / 4 }, () => gate.health())).then(),
    },
    {
      name: "a stream filled to its window",
      run: () => send(open(0), new Uint8Array(1 << 20).fill(0x55), false),
    },
  ];
}

/** What a pipe carries at the beginning of a genuine conversation, and beyond what it may. */
export function listPipeSeeds(session: readonly Uint8Array[]): Uint8Array[] {
  const preface = encodeMuxFrame(MUX_KIND.preface, 0, encodeU32(MUX_PROTOCOL));
  const target = (text: string, id: number) =>
    encodeMuxFrame(MUX_KIND.open, id, new TextEncoder().encode(text));
  const calls = ["session", "bare-session", "health", "listen:x"].map((name) => target(name, 1));
  const data = session.map((bytes) => encodeMuxFrame(MUX_KIND.data, 1, bytes.subarray(0, 65536)));
  const conversations = calls.flatMap((call) =>
    data.map((each) => Buffer.concat([preface, call, each])),
  );
  const credit = encodeMuxFrame(MUX_KIND.credit, 1, encodeU32(0x7fffffff));
  return [...conversations, Buffer.concat([preface, calls[0]!, credit, credit])];
}

/** Openings that every Keep must answer with its end, by name. */
export function listFloods(): ReadonlyMap<string, Uint8Array> {
  const preface = encodeMuxFrame(MUX_KIND.preface, 0, encodeU32(MUX_PROTOCOL));
  const health = new TextEncoder().encode("health");
  const opens = Array.from({ length: MAX_GATE_STREAMS + 2 }, (_, index) =>
    encodeMuxFrame(MUX_KIND.open, index + 1, new TextEncoder().encode("session")),
  );
  const block = new Uint8Array(262_144);
  const unasked = Array.from({ length: 16 }, () => encodeMuxFrame(MUX_KIND.data, 1, block));
  return new Map([
    ["more streams than there may be", Buffer.concat([preface, ...opens])],
    [
      "data beyond the credit",
      Buffer.concat([preface, encodeMuxFrame(MUX_KIND.open, 1, health), ...unasked]),
    ],
    [
      "a frame that never ends",
      Buffer.concat([preface, encodeMuxFrame(MUX_KIND.data, 1, block).subarray(0, 100)]),
    ],
  ]);
}

function cut(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, Math.floor(bytes.length / 2));
}

function quiet(stream: Duplex): Duplex {
  stream.on("error", () => {});
  return stream.resume();
}

/** The Keep need not take it: whoever does not read slows its sender and nobody else. */
async function send(stream: Duplex, bytes: Uint8Array, end: boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  stream.once("close", resolve);
  const timer = setTimeout(() => stream.destroy(), 2000);
  if (bytes.length > 0) stream.write(bytes, () => (end ? stream.end() : stream.destroy()));
  else stream.destroy();
  await promise;
  clearTimeout(timer);
}
