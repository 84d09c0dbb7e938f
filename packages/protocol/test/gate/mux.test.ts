import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Duplex } from "node:stream";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { DonjonError } from "@donjon/core/errors";
import fc from "fast-check";
import { createGateDuplex } from "../../src/gate/duplex.ts";
import { MUX_REFUSAL, Mux, type MuxStream, type MuxStreamEvents } from "../../src/gate/mux.ts";
import { encodeMuxFrame, encodeMuxHeader, encodeU32, MUX_KIND } from "../../src/gate/mux-frame.ts";
import { type GateCall, openGatePipe } from "../../src/gate/pipe.ts";
import { GATE_STREAM_WINDOW, MAX_GATE_STREAMS } from "../../src/limits.ts";

const PREFACE = encodeMuxFrame(MUX_KIND.preface, 0, encodeU32(1));

interface Log extends MuxStreamEvents {
  readonly bytes: number[];
  readonly calls: string[];
}

function createLog(): Log {
  const log: Log = {
    bytes: [],
    calls: [],
    onAccept: () => log.calls.push("accept"),
    onRefuse: (refusal, reason) => log.calls.push(`refuse ${refusal} ${reason}`),
    onData: (piece) => {
      for (const byte of piece) log.bytes.push(byte);
      return false;
    },
    onEnd: () => log.calls.push("end"),
    onReset: () => log.calls.push("reset"),
    onWritable: () => log.calls.push("writable"),
  };
  return log;
}

function append(queue: number[]): (bytes: Uint8Array) => void {
  return (bytes) => {
    for (const byte of bytes) queue.push(byte);
  };
}

/** Two ends whose pipes are queues; `pump` moves bytes in pieces of the given sizes. */
function createPair(onOpen: (stream: MuxStream) => void) {
  const toCallee: number[] = [];
  const toCaller: number[] = [];
  const caller = new Mux({ role: "caller", output: append(toCallee) });
  const callee = new Mux({ role: "callee", output: append(toCaller), onOpen });
  const pump = (size = 1 << 20): void => {
    while (toCallee.length + toCaller.length > 0) {
      callee.receive(Uint8Array.from(toCallee.splice(0, size)));
      caller.receive(Uint8Array.from(toCaller.splice(0, size)));
    }
  };
  return { caller, callee, pump };
}

test("a stream carries bytes both ways and closes, whatever the pieces of the pipe", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 10 }),
      (size, chunks) => {
        const there = createLog();
        let stream: MuxStream | undefined;
        const { caller, callee, pump } = createPair((opened) => {
          stream = opened;
          opened.events = there;
          opened.accept();
        });
        const here = createLog();
        const mine = caller.open("session", here);
        for (const chunk of chunks) mine.write(chunk);
        pump(size);
        assert.equal(stream?.target, "session");
        for (const chunk of chunks) stream.write(chunk);
        mine.end();
        stream.end();
        pump(size);
        const sent = chunks.flatMap((chunk) => [...chunk]);
        assert.deepEqual(there.bytes, sent);
        assert.deepEqual(here.bytes, sent);
        assert.deepEqual(here.calls, ["accept", "end"]);
        assert.deepEqual(there.calls, ["end"]);
        assert.equal(caller.size + callee.size, 0);
      },
    ),
  );
});

test("a sender stops at its credit and goes on when the reader has consumed", () => {
  const there = createLog();
  let stream: MuxStream | undefined;
  const { caller, pump } = createPair((opened) => {
    stream = opened;
    opened.events = { ...there, onData: () => false };
  });
  const here = createLog();
  const mine = caller.open("x", here);
  let sent = 0;
  while (mine.writable() > 0) {
    const chunk = new Uint8Array(mine.writable());
    mine.write(chunk);
    sent += chunk.length;
  }
  assert.equal(sent, GATE_STREAM_WINDOW);
  assert.throws(() => mine.write(new Uint8Array(1)), RangeError);
  pump();
  assert.deepEqual(here.calls, []);
  stream?.consumed(GATE_STREAM_WINDOW / 2);
  pump();
  assert.deepEqual(here.calls, ["writable"]);
  assert.equal(mine.writable(), GATE_STREAM_WINDOW / 2);
});

test("a refusal carries its reason and frees the stream", () => {
  const { caller, callee, pump } = createPair((opened) =>
    opened.refuse(MUX_REFUSAL.unknown, "no listener 'web'"),
  );
  const here = createLog();
  const mine = caller.open("listen:web", here);
  mine.write(Uint8Array.of(1, 2, 3));
  pump();
  assert.deepEqual(here.calls, ["refuse 2 no listener 'web'"]);
  assert.equal(mine.writable(), 0);
  assert.equal(caller.size + callee.size, 0);
});

test("close resets every stream once and receives nothing any more", () => {
  const { caller } = createPair(() => {});
  const logs = [createLog(), createLog()];
  for (const log of logs) caller.open("x", log);
  caller.close();
  caller.close();
  caller.receive(Uint8Array.of(255));
  for (const log of logs) assert.deepEqual(log.calls, ["reset"]);
  assert.throws(() => caller.open("x", createLog()), { code: "gate/closed" });
});

const BAD: readonly (readonly [string, readonly Uint8Array[], string])[] = [
  [
    "a frame before the preface",
    [encodeMuxFrame(MUX_KIND.open, 1, Uint8Array.of(120))],
    "gate/protocol",
  ],
  ["another protocol number", [encodeMuxFrame(MUX_KIND.preface, 0, encodeU32(2))], "gate/protocol"],
  ["a second preface", [PREFACE, PREFACE], "gate/protocol"],
  [
    "an unknown kind",
    [PREFACE, Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0)],
    "gate/protocol",
  ],
  ["a reserved octet", [Uint8Array.of(0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4)], "gate/protocol"],
  [
    "a stream id that skips",
    [PREFACE, encodeMuxFrame(MUX_KIND.open, 2, Uint8Array.of(120))],
    "gate/protocol",
  ],
  [
    "data for a stream never opened",
    [PREFACE, encodeMuxHeader(MUX_KIND.data, 1, 1)],
    "gate/protocol",
  ],
  ["an empty target", [PREFACE, encodeMuxHeader(MUX_KIND.open, 1, 0)], "gate/protocol"],
  ["a target that is too long", [PREFACE, encodeMuxHeader(MUX_KIND.open, 1, 1025)], "gate/limit"],
  [
    "a target that is not UTF-8",
    [PREFACE, encodeMuxFrame(MUX_KIND.open, 1, Uint8Array.of(0xff))],
    "gate/protocol",
  ],
  [
    "4 GiB of data announced",
    [PREFACE, encodeMuxHeader(MUX_KIND.data, 1, 0xffffffff)],
    "gate/limit",
  ],
  [
    "an answer from the caller",
    [
      PREFACE,
      encodeMuxFrame(MUX_KIND.open, 1, Uint8Array.of(120)),
      encodeMuxHeader(MUX_KIND.accept, 1, 0),
    ],
    "gate/protocol",
  ],
  [
    "credit of nothing",
    [
      PREFACE,
      encodeMuxFrame(MUX_KIND.open, 1, Uint8Array.of(120)),
      encodeMuxFrame(MUX_KIND.credit, 1, encodeU32(0)),
    ],
    "gate/protocol",
  ],
  [
    "credit beyond all bounds",
    [
      PREFACE,
      encodeMuxFrame(MUX_KIND.open, 1, Uint8Array.of(120)),
      encodeMuxFrame(MUX_KIND.credit, 1, encodeU32(0xffffffff)),
    ],
    "gate/protocol",
  ],
  [
    "a second end",
    [
      PREFACE,
      encodeMuxFrame(MUX_KIND.open, 1, Uint8Array.of(120)),
      encodeMuxHeader(MUX_KIND.end, 1, 0),
      encodeMuxHeader(MUX_KIND.end, 1, 0),
    ],
    "gate/protocol",
  ],
  [
    "data after the end",
    [
      PREFACE,
      encodeMuxFrame(MUX_KIND.open, 1, Uint8Array.of(120)),
      encodeMuxHeader(MUX_KIND.end, 1, 0),
      encodeMuxHeader(MUX_KIND.data, 1, 1),
    ],
    "gate/protocol",
  ],
];

for (const [what, frames, code] of BAD) {
  test(`a callee refuses ${what}`, () => {
    const callee = new Mux({
      role: "callee",
      output: () => {},
      onOpen: (stream) => {
        stream.events = createLog();
      },
    });
    assert.throws(
      () => {
        for (const frame of frames) callee.receive(frame);
      },
      (error) => error instanceof DonjonError && error.code === code,
    );
  });
}

test("a caller refuses a stream opened by the callee", () => {
  const caller = new Mux({ role: "caller", output: () => {} });
  caller.receive(PREFACE);
  assert.throws(() => caller.receive(encodeMuxFrame(MUX_KIND.open, 1, Uint8Array.of(120))), {
    code: "gate/protocol",
  });
});

test("a sender beyond its credit is refused before its bytes are delivered", () => {
  const log = createLog();
  const callee = new Mux({
    role: "callee",
    output: () => {},
    onOpen: (stream) => {
      stream.events = log;
    },
  });
  callee.receive(PREFACE);
  callee.receive(encodeMuxFrame(MUX_KIND.open, 1, Uint8Array.of(120)));
  callee.receive(encodeMuxFrame(MUX_KIND.data, 1, new Uint8Array(GATE_STREAM_WINDOW)));
  assert.throws(() => callee.receive(encodeMuxHeader(MUX_KIND.data, 1, 1)), { code: "gate/limit" });
  assert.equal(log.bytes.length, GATE_STREAM_WINDOW);
});

test("more streams than the limit are refused", () => {
  const callee = new Mux({ role: "callee", output: () => {}, onOpen: () => {} });
  callee.receive(PREFACE);
  for (let id = 1; id <= MAX_GATE_STREAMS; id++) {
    callee.receive(encodeMuxFrame(MUX_KIND.open, id, Uint8Array.of(120)));
  }
  const next = encodeMuxFrame(MUX_KIND.open, MAX_GATE_STREAMS + 1, Uint8Array.of(120));
  assert.throws(() => callee.receive(next), { code: "gate/limit" });
});

test("arbitrary bytes throw nothing but the error class, in either role", () => {
  for (const role of ["caller", "callee"] as const) {
    fc.assert(
      fc.property(fc.boolean(), fc.uint8Array({ maxLength: 400 }), (greet, bytes) => {
        const mux = new Mux({
          role,
          output: () => {},
          onOpen: (stream) => {
            stream.events = createLog();
          },
        });
        if (role === "caller") mux.open("x", createLog());
        if (greet) mux.receive(PREFACE);
        try {
          mux.receive(bytes);
        } catch (error) {
          assert.ok(error instanceof DonjonError, String(error));
        }
      }),
    );
  }
});

test("a Duplex on each end moves a megabyte with back-pressure and ends cleanly", async () => {
  const { promise, resolve } = Promise.withResolvers<Duplex>();
  const queues: [Uint8Array[], Uint8Array[]] = [[], []];
  let scheduled = false;
  const later = (): void => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      for (const bytes of queues[0].splice(0)) callee.receive(bytes);
      for (const bytes of queues[1].splice(0)) caller.receive(bytes);
    });
  };
  const send = (queue: 0 | 1) => (bytes: Uint8Array, written?: () => void) => {
    queues[queue].push(bytes.slice());
    later();
    if (written !== undefined) setImmediate(written);
  };
  const callee: Mux = new Mux({
    role: "callee",
    output: send(1),
    onOpen: (stream) => {
      const { duplex, events } = createGateDuplex(Duplex, () => stream);
      stream.events = events;
      stream.accept();
      resolve(duplex);
    },
  });
  const caller: Mux = new Mux({ role: "caller", output: send(0) });
  let stream: MuxStream;
  const mine = createGateDuplex(Duplex, () => stream);
  stream = caller.open("session", mine.events);
  const data = Buffer.alloc(1_000_003, "donjon");
  mine.duplex.end(data);
  const theirs = await promise;
  theirs.pipe(theirs);
  assert.ok((await buffer(mine.duplex)).equals(data));
  assert.equal(caller.size + callee.size, 0);
});

test("a Duplex whose stream is refused fails with the reason", async () => {
  const { caller, pump } = createPair((opened) => opened.refuse(MUX_REFUSAL.refused, "not here"));
  let stream: MuxStream;
  const mine = createGateDuplex(Duplex, () => stream);
  stream = caller.open("x", mine.events);
  const failed = new Promise<Error>((resolve) => mine.duplex.once("error", resolve));
  pump();
  assert.match((await failed).message, /not here/);
});

/** Like a socket pair: takes the bytes some time after the write, and then says so. */
function createSlowPair(): [Duplex, Duplex] {
  const make = (other: () => Duplex): Duplex =>
    new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        setImmediate(() => {
          other().push(Buffer.from(chunk));
          done();
        });
      },
    });
  const near: Duplex = make(() => far);
  const far: Duplex = make(() => near);
  return [near, far];
}

test("a pipe's streams never send a buffer that its writer has been told it may use again", async () => {
  const [near, far] = createSlowPair();
  const { promise: opened, resolve } = Promise.withResolvers<Duplex>();
  openGatePipe(far, { role: "callee", Duplex, onCall: (call) => resolve(call.accept()) });
  const mine = openGatePipe(near, { role: "caller", Duplex }).open("session");
  // The reader below closes both directions once it has everything.
  mine.on("error", () => {});
  const shared = Buffer.alloc(100_000);
  const sent = createHash("sha256");
  const write = async (): Promise<void> => {
    for (let round = 0; round < 50; round++) {
      shared.fill(round);
      sent.update(shared);
      await new Promise<void>((done, fail) =>
        mine.write(shared, (error) => (error ? fail(error) : done())),
      );
    }
    mine.end();
  };
  const [bytes] = await Promise.all([opened.then((stream) => buffer(stream)), write()]);
  assert.equal(createHash("sha256").update(bytes).digest("hex"), sent.digest("hex"));
});

test("a write of nothing is done at once, and what comes after it is sent", async () => {
  const { duplexPair } = await import("node:stream");
  const [calling, called] = duplexPair();
  const received = Promise.withResolvers<Buffer>();
  openGatePipe(called, {
    role: "callee",
    Duplex,
    onCall: (call) => buffer(call.accept()).then(received.resolve, received.reject),
  });
  const stream = openGatePipe(calling, { role: "caller", Duplex }).open("session");
  stream.on("error", () => {});
  stream.write(new Uint8Array(0));
  stream.end("after it");
  assert.equal((await received.promise).toString(), "after it");
});

test("a call that is taken back before it is answered ends that call and nothing else", async () => {
  const { duplexPair } = await import("node:stream");
  const [calling, called] = duplexPair();
  const calls: GateCall<Duplex>[] = [];
  openGatePipe(called, { role: "callee", Duplex, onCall: (call) => calls.push(call) });
  const caller = openGatePipe(calling, { role: "caller", Duplex });
  for (let round = 0; round < 2; round++) {
    caller
      .open("listen:web")
      .on("error", () => {})
      .destroy();
  }
  const answered = Promise.withResolvers<void>();
  caller.open("health", { onAccept: answered.resolve }).on("error", answered.reject);
  await new Promise(setImmediate);
  const [first, second, third] = calls;
  assert.equal(first!.accept().destroyed, true);
  second!.refuse(MUX_REFUSAL.busy, "too late");
  third!.accept();
  await answered.promise;
  assert.equal(caller.closed, false);
});

test("what waits to be read on one stream does not hold what came for others in the same read", () => {
  const opened: Duplex[] = [];
  const callee = new Mux({
    role: "callee",
    output: () => {},
    onOpen: (stream) => {
      const { duplex, events } = createGateDuplex(Duplex, () => stream);
      stream.events = events;
      opened.push(duplex);
    },
  });
  const large = Buffer.alloc(200_000);
  callee.receive(
    Uint8Array.from([
      ...PREFACE,
      ...encodeMuxFrame(MUX_KIND.open, 1, Buffer.from("slow")),
      ...encodeMuxFrame(MUX_KIND.open, 2, Buffer.from("busy")),
      ...encodeMuxFrame(MUX_KIND.data, 1, Buffer.from("x")),
      ...encodeMuxFrame(MUX_KIND.data, 2, large),
    ]),
  );
  const [slow, busy] = opened.map((duplex) => duplex.read() as Buffer);
  assert.equal(slow!.toString(), "x");
  assert.ok(busy!.equals(large));
  assert.ok(slow!.buffer.byteLength <= 4096, `${slow!.buffer.byteLength} octets are held`);
});

test("pieces of every size arrive as they were sent, however they were read from the pipe", () => {
  let reader: Duplex | undefined;
  const callee = new Mux({
    role: "callee",
    output: () => {},
    onOpen: (stream) => {
      const { duplex, events } = createGateDuplex(Duplex, () => stream);
      stream.events = events;
      reader = duplex;
    },
  });
  callee.receive(PREFACE);
  callee.receive(encodeMuxFrame(MUX_KIND.open, 1, Buffer.from("x")));
  const sent = Array.from({ length: 300 }, (_, i) => Buffer.alloc(1 + ((i * 37) % 1500), i));
  const wire = Buffer.concat(sent.map((piece) => encodeMuxFrame(MUX_KIND.data, 1, piece)));
  const received: Buffer[] = [];
  for (let at = 0, size = 1; at < wire.length; at += size, size = (size * 7 + 13) % 70_000) {
    callee.receive(Uint8Array.from(wire.subarray(at, at + size)));
    if (size % 3 === 0) received.push((reader!.read() as Buffer | null) ?? Buffer.alloc(0));
  }
  for (let rest = reader!.read(); rest !== null; rest = reader!.read())
    received.push(rest as Buffer);
  assert.ok(Buffer.concat(received).equals(Buffer.concat(sent)));
});
