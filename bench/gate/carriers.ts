/**
 * What should carry the gate's streams: HTTP/2 of the engine, or our own multiplexer? Measures, over one
 * inherited socket pair between two processes: milliseconds until the first answer (the child started
 * beforehand is not counted in), MB/s one way and there and back, and the cost of loading the code.
 *
 * Usage: sh tools/node.sh bench/gate/carriers.ts   (figures: bench/RESULTS.md)
 */
import { spawn } from "node:child_process";
import { Duplex } from "node:stream";
import { createGateDuplex } from "@donjon/protocol/gate/duplex";
import { Mux, type MuxStream } from "@donjon/protocol/gate/mux";

const BYTES = 1 << 30;
const CHUNK = Buffer.alloc(64 << 10, 7);
const ROUNDS = 7;
const SETTINGS = { initialWindowSize: 16 << 20, maxFrameSize: 2 ** 24 - 1 };

/** Writes to the pipe, gathered per turn of the event loop. */
function gather(pipe: Duplex): (bytes: Uint8Array, written?: () => void) => void {
  let corked = false;
  const flush = (): void => {
    corked = false;
    pipe.uncork();
  };
  return (bytes, written) => {
    if (!corked) {
      corked = true;
      pipe.cork();
      process.nextTick(flush);
    }
    pipe.write(bytes, written);
  };
}

interface Caller {
  open(target: string): Duplex;
}

async function createMuxCaller(pipe: Duplex): Promise<Caller> {
  const mux = new Mux({ role: "caller", output: gather(pipe) });
  pipe.on("data", (bytes: Buffer) => mux.receive(bytes));
  return {
    open(target) {
      let stream: MuxStream;
      const gate = createGateDuplex(Duplex, () => stream);
      stream = mux.open(target, gate.events);
      return gate.duplex;
    },
  };
}

async function createHttp2Caller(pipe: Duplex): Promise<Caller> {
  const { connect } = await import("node:http2");
  const session = connect("http://keep", { createConnection: () => pipe, settings: SETTINGS });
  session.once("connect", () => session.setLocalWindowSize(64 << 20));
  return { open: (target) => session.request({ ":method": "CONNECT", ":authority": target }) };
}

function serve(target: string, stream: Duplex): void {
  if (target === "sink") stream.resume().on("end", () => stream.end("x"));
  else stream.pipe(stream);
}

async function child(carrier: string): Promise<void> {
  const { Socket } = await import("node:net");
  const pipe = new Socket({ fd: 3 });
  const started = performance.now();
  if (carrier === "mux") {
    const mux = new Mux({
      role: "callee",
      output: gather(pipe),
      onOpen(stream) {
        const gate = createGateDuplex(Duplex, () => stream);
        stream.events = gate.events;
        stream.accept();
        serve(stream.target, gate.duplex);
      },
    });
    pipe.on("data", (bytes: Buffer) => mux.receive(bytes));
  } else {
    const { performServerHandshake } = await import("node:http2");
    const session = performServerHandshake(pipe, { settings: SETTINGS });
    session.setLocalWindowSize(64 << 20);
    session.on("stream", (stream, headers) => {
      stream.respond({ ":status": 200 });
      serve(String(headers[":authority"]), stream);
    });
  }
  process.send?.(performance.now() - started);
}

async function move(caller: Caller, target: string): Promise<number> {
  const started = performance.now();
  const stream = caller.open(target);
  const { promise, resolve } = Promise.withResolvers<void>();
  stream.on("data", () => {}).on("end", () => resolve());
  let left = BYTES;
  const write = (): void => {
    while (left > 0) {
      left -= CHUNK.length;
      if (!stream.write(CHUNK)) return void stream.once("drain", write);
    }
    stream.end();
  };
  write();
  await promise;
  return BYTES / 1e3 / (performance.now() - started);
}

async function measure(carrier: string): Promise<Record<string, number>> {
  const keep = spawn(
    process.execPath,
    [...process.execArgv, import.meta.filename, "child", carrier],
    {
      stdio: ["ignore", "inherit", "inherit", "pipe", "ipc"],
    },
  );
  const load = await new Promise<number>((resolve) => keep.once("message", resolve));
  const started = performance.now();
  (keep.stdio[3] as Duplex).on("error", () => {}); // the child is killed at the end
  const caller = await (carrier === "mux" ? createMuxCaller : createHttp2Caller)(
    keep.stdio[3] as Duplex,
  );
  const first = caller.open("sink");
  first.end("x");
  await new Promise((resolve) => first.once("data", resolve));
  const answer = performance.now() - started;
  const sink = await move(caller, "sink");
  const echo = await move(caller, "echo");
  keep.kill("SIGKILL");
  await new Promise((resolve) => keep.once("exit", resolve));
  return {
    "load in Keep ms": load,
    "first answer ms": answer,
    "one way MB/s": sink,
    "echo MB/s": echo,
  };
}

async function main(): Promise<void> {
  const rows: Record<string, Record<string, number[]>> = { http2: {}, mux: {} };
  for (let round = 0; round < ROUNDS; round++) {
    for (const carrier of ["http2", "mux"]) {
      const row = rows[carrier]!;
      for (const [name, value] of Object.entries(await measure(carrier)))
        row[name] = [...(row[name] ?? []), value];
    }
  }
  const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;
  console.table(
    Object.fromEntries(
      Object.entries(rows).map(([carrier, row]) => [
        carrier,
        Object.fromEntries(
          Object.entries(row).map(([name, values]) => [name, Number(median(values).toFixed(1))]),
        ),
      ]),
    ),
  );
}

if (process.argv[2] === "child") await child(process.argv[3] ?? "");
else await main();
