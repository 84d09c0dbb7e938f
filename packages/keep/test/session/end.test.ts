/** How a session ends when its client is slow, or gone. */
import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { buffer } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { createClientIdentity } from "@donjon/client/attested/identity";
import { secureStream } from "@donjon/client/attested/tls";
import { openSession } from "@donjon/client/session";
import { SESSION_TARGET, windowOfCall } from "@donjon/protocol/gate/gate";
import { openGatePipe } from "@donjon/protocol/gate/pipe";
import { LINGER_MS, MAX_EVIDENCE_REQUESTS } from "@donjon/protocol/limits";
import type { ClientMessage } from "@donjon/protocol/session/client-message";
import { CHANNEL, encodeFrameHeader, FRAME_KIND } from "@donjon/protocol/session/frame";
import { encodeMessage, SESSION_PROTOCOL } from "@donjon/protocol/session/message";
import { encodeHelloGuest } from "@donjon/testkit/contract/guests";
import { createProvision } from "@donjon/testkit/contract/keep-fixture";
import { createIdentity } from "../../src/identity/identity.ts";
import type { ByteSource, Workload, WorkloadResult } from "../../src/runtime/workload.ts";
import { type Channel, openBareChannel } from "../../src/session/channel.ts";
import { Keep, type KeepParts } from "../../src/session/keep.ts";
import { createSessionAcceptor } from "../../src/session/secured.ts";
import { serveSession } from "../../src/session/server.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Until `reached` says so, which nothing but turns is needed for. */
async function turnUntil(reached: () => boolean): Promise<void> {
  for (let each = 0; !reached(); each++) {
    assert.ok(each < 20_000, `never: ${reached}`);
    await turn();
  }
}

async function turns(count: number): Promise<void> {
  for (let each = 0; each < count; each++) await turn();
}

/** Output that a workload wrote, all of it at once, when `write` is called. */
class Output implements ByteSource {
  onReadable: (() => void) | null = null;
  #bytes: Uint8Array | null = null;

  write(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.onReadable?.();
  }

  read(skip = 0): Uint8Array | null | undefined {
    if (this.#bytes === null) return null;
    return skip < this.#bytes.length ? this.#bytes.subarray(skip) : undefined;
  }

  consume(count: number): void {
    this.#bytes = this.#bytes!.subarray(count);
  }
}

/** A Keep whose workload writes and exits when `exit` is called. */
function createKeep() {
  const result = Promise.withResolvers<WorkloadResult>();
  const stdout = new Output();
  const stderr = new Output();
  const seen = { ends: 0, proofs: 0 };
  const workload: Workload = {
    stdin: { write: (bytes) => bytes.length, end() {}, onWritable: null },
    stdout,
    stderr,
    accept: () => false,
    stop() {},
    result: result.promise,
    phases: new Map(),
    onRunning: null,
  };
  const connections = {
    prepare: async () => {},
    open() {},
    refuseNew() {},
    drain: async () => {},
  };
  const keep = new Keep({
    room: { prepare() {}, run: () => workload, close: async () => {} },
    connections: connections as unknown as KeepParts["connections"],
    prover: {
      async prove() {
        seen.proofs += 1;
        return new Uint8Array(100);
      },
    } as unknown as KeepParts["prover"],
    clock: { floorNs: 0n, now: () => 0, learn() {} },
    end() {
      seen.ends += 1;
    },
  });
  const exit = (output: Uint8Array): void => {
    stdout.write(output);
    stderr.write(new Uint8Array(0));
    const usage = { peakMemory: 0, wallMs: 0, cpuMs: 0 };
    result.resolve({ outcome: { kind: "exit", code: 7 }, usage, changes: [] });
  };
  return { keep, seen, exit };
}

/** One direction of a pipe. While it is held, what is written stays where it is. */
class Direction {
  holding = false;
  readonly #held: (() => void)[] = [];

  carry(pass: () => void): void {
    if (this.holding) this.#held.push(pass);
    else setImmediate(pass);
  }

  passOne(): void {
    this.#held.shift()?.();
  }

  release(): void {
    this.holding = false;
    for (const pass of this.#held.splice(0)) pass();
  }
}

/** A pipe between a Keep and its host. */
function createPipe() {
  const [out, back] = [new Direction(), new Direction()];
  const make = (direction: Direction, other: () => Duplex): Duplex =>
    new Duplex({
      read() {},
      write(chunk: Uint8Array, _encoding, done) {
        direction.carry(() => {
          other().push(Uint8Array.from(chunk));
          done();
        });
      },
    });
  const inside: Duplex = make(out, () => outside);
  const outside: Duplex = make(back, () => inside);
  return { out, back, inside, outside };
}

/** An attested session over gate pipes up to where the workload runs; time stands still but for `tick`. */
async function startRun(context: TestContext) {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { keep, seen, exit } = createKeep();
  const { out, back, inside, outside } = createPipe();
  const served = Promise.withResolvers<Channel>();
  const accept = createSessionAcceptor(createIdentity(Date.now()));
  openGatePipe(inside, {
    role: "callee",
    Duplex,
    windowOf: windowOfCall,
    onCall: (call) =>
      accept(
        call.accept().on("error", () => {}),
        (channel) => {
          serveSession(channel, keep);
          served.resolve(channel);
        },
      ),
  });
  const stream = openGatePipe(outside, { role: "caller", Duplex }).open(SESSION_TARGET, {
    window: windowOfCall(SESSION_TARGET),
  });
  const { stream: secured } = await secureStream(stream, createClientIdentity(Date.now()));
  const run = openSession(secured).provision(createProvision(encodeHelloGuest("hello")));
  await run.provisioned;
  const { stream: mine } = await served.promise;
  const tick = (ms: number) => context.mock.timers.tick(ms);
  return { run, seen, exit, out, back, mine, tick };
}

const LIMIT = { timeout: 20_000 };
/** Less than may be ahead of the pipe: the Keep has handed on its last word when none of it has left. */
const OUTPUT = Buffer.alloc(240 << 10, "the last of it ");

test(
  "all output and the exit reach a client over a link that is slower than the Keep waits",
  LIMIT,
  async (context) => {
    const { run, seen, exit, out, mine, tick } = await startRun(context);
    out.holding = true;
    exit(OUTPUT);
    await turnUntil(() => mine.writableEnded);
    await turns(20);
    tick(2 * LINGER_MS);
    assert.equal(seen.ends, 0, "the Keep ended before anything had left");
    while (!mine.writableFinished) {
      out.passOne();
      await turns(5);
      if (mine.writableFinished) break;
      tick(LINGER_MS);
      assert.equal(seen.ends, 0, "the Keep ended on the way");
    }
    out.release();
    const [result, stdout] = await Promise.all([
      run.result,
      buffer(run.stdout),
      buffer(run.stderr),
    ]);
    assert.deepEqual(result.outcome, { kind: "exit", code: 7 });
    assert.ok(stdout.equals(OUTPUT));
    await turnUntil(() => seen.ends > 0);
  },
);

test(
  "a Keep waits no longer than it says for a client that was given all and does not end its side",
  LIMIT,
  async (context) => {
    const { run, seen, exit, back, mine, tick } = await startRun(context);
    back.holding = true;
    exit(OUTPUT);
    await turnUntil(() => mine.writableFinished);
    await run.result;
    tick(LINGER_MS - 1);
    await turns(5);
    assert.equal(seen.ends, 0);
    tick(1);
    await turns(5);
    assert.ok(seen.ends > 0);
  },
);

const BINDING = { exporter: new Uint8Array(32), key: new Uint8Array(32) };

/** A client's stream that takes nothing: what the Keep answers stays on its way. */
function createDeafClient(keep: Keep, secured = false) {
  const stream = new Duplex({ read() {}, write() {} });
  stream.on("error", () => {});
  const bare = openBareChannel(stream);
  serveSession(secured ? { ...bare, secured: BINDING } : bare, keep);
  const frame = (kind: 0 | 1, channel: 0 | 1 | 4, payload: Uint8Array) => {
    stream.push(encodeFrameHeader(kind, channel, payload.length));
    if (payload.length > 0) stream.push(payload);
  };
  const say = (message: ClientMessage) =>
    frame(FRAME_KIND.message, CHANNEL.control, encodeMessage(message));
  const provision = (detached: boolean): void => {
    const { manifest, workload } = createProvision(encodeHelloGuest("hello"));
    say({ type: "hello", protocol: SESSION_PROTOCOL });
    say({
      type: "provision",
      manifest: manifest.length,
      workload: workload.length,
      secrets: [],
      trees: [],
      terminals: [],
      detached,
      time: 0,
    });
    const bytes = Buffer.concat([workload, manifest]);
    stream.push(encodeFrameHeader(FRAME_KIND.data, CHANNEL.upload, bytes.length));
    stream.push(bytes);
    stream.push(encodeFrameHeader(FRAME_KIND.end, CHANNEL.upload, 0));
  };
  return { stream, say, provision };
}

test(
  "a Keep ends when its client goes while the exit still waits behind other frames",
  LIMIT,
  async () => {
    const { keep, seen, exit } = createKeep();
    const { stream, provision } = createDeafClient(keep);
    provision(false);
    await turnUntil(() => keep.state === "running");
    exit(Buffer.alloc(1000));
    await turnUntil(() => keep.state === "exited");
    await turns(20);
    assert.equal(seen.ends, 0);
    stream.destroy();
    await turnUntil(() => stream.closed);
    await turns(5);
    assert.ok(seen.ends > 0, "nobody ends the Keep");
  },
);

test(
  "a Keep ends when its client has gone in the very turn in which the exit is sent",
  LIMIT,
  async () => {
    const { keep, seen, exit } = createKeep();
    const { stream, provision } = createDeafClient(keep);
    provision(false);
    await turnUntil(() => keep.state === "running");
    // Closing takes a while, as it does with a socket.
    const closing = Promise.withResolvers<void>();
    stream._destroy = (error, done) => void closing.promise.then(() => done(error));
    stream.destroy();
    exit(Buffer.alloc(1000));
    await turns(20);
    assert.equal(seen.ends, 0);
    closing.resolve();
    await turns(5);
    assert.ok(seen.ends > 0, "nobody ends the Keep");
  },
);

test(
  "a session that failed and whose client went gives back the input of the workload",
  LIMIT,
  async () => {
    const { keep } = createKeep();
    const owner = createDeafClient(keep);
    owner.provision(true);
    await turnUntil(() => keep.state === "running");
    const attach = () => {
      const client = createDeafClient(keep);
      client.say({ type: "hello", protocol: SESSION_PROTOCOL });
      client.say({ type: "attach", input: true });
      return client;
    };
    const first = attach();
    await turns(5);
    assert.throws(() => keep.requireDetached().takeInput(() => {}), { code: "session/refused" });
    // Which it may not twice.
    first.say({ type: "hello", protocol: SESSION_PROTOCOL });
    await turns(5);
    first.stream.destroy();
    await turnUntil(() => first.stream.closed);
    await turns(5);
    keep.requireDetached().takeInput(() => {});
  },
);

test(
  "a client that asks for evidence and does not read it is not answered without end",
  LIMIT,
  async () => {
    const { keep, seen } = createKeep();
    const { stream, say } = createDeafClient(keep, true);
    say({ type: "hello", protocol: SESSION_PROTOCOL });
    for (let each = 0; each < 4 * MAX_EVIDENCE_REQUESTS; each++) {
      say({ type: "attest", nonce: "00".repeat(32) });
      await turn();
    }
    assert.equal(seen.proofs, MAX_EVIDENCE_REQUESTS);
    stream.destroy();
  },
);
