/**
 * Octets per second between a client and a workload: through an attested session (TLS inside the gate's pipe), through a
 * bare one, and through TLS over loopback TCP between two processes, in turns, each in new processes. To the workload, from
 * it, and there and back.
 *
 * Usage: sh tools/node.sh --max-semi-space-size=1 bench/session/throughput.ts [rounds]; MIB: size of one measurement, at most 1024.
 * The flag is what `donjon deploy` starts its engine with; the TLS beside it gets the same.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Readable, Writable } from "node:stream";
import { connect, createServer, type TLSSocket } from "node:tls";
import { openAttestedSession } from "@donjon/client/attested/open";
import { openSession } from "@donjon/client/session";
import { createCertificate } from "@donjon/testkit/contract/certificate";
import { encodeCatGuest, encodeFloodGuest } from "@donjon/testkit/contract/guests";
import { formatTable, median } from "../lib/stats.ts";
import { type Lab, withLab } from "./lab.ts";

const MIB = Number(process.env["MIB"] ?? 1024);
const TOTAL = MIB * 2 ** 20;
const PIECE = Buffer.alloc(64 << 10, 7);
const WAYS = ["to the workload", "from the workload", "there and back"] as const;
type Way = (typeof WAYS)[number];

async function writeTotal(sink: Writable): Promise<void> {
  for (let sent = 0; sent < TOTAL; sent += PIECE.length) {
    if (!sink.write(PIECE)) await once(sink, "drain");
  }
}

function readTotal(source: Readable, total = TOTAL): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let got = 0;
  source.on("data", (piece: Uint8Array) => {
    got += piece.length;
    if (got >= total) resolve();
  });
  return promise;
}

/** MiB per second. */
async function time(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return MIB / ((performance.now() - begin) / 1000);
}

async function throughKeep(lab: Lab, way: Way, attested: boolean): Promise<number> {
  const { keep, gate } = lab.start();
  const { identity, verify } = lab;
  const session = attested
    ? await openAttestedSession(gate.openSession(), { identity, verify, expect: "new" })
    : openSession(gate.openBareSession());
  const workload =
    way === "from the workload" ? encodeFloodGuest(TOTAL / PIECE.length) : encodeCatGuest();
  const sha256 = createHash("sha256").update(workload).digest("hex");
  const stdout = way === "to the workload" ? '[stdio]\nstdout = "null"\n' : "";
  const manifest = Buffer.from(`[workload]\nsha256 = "${sha256}"\n${stdout}`);
  const begin = () => session.provision({ manifest, workload, secrets: new Map(), trees: [] });
  let speed: number;
  if (way === "from the workload") {
    const run = begin();
    const read = readTotal(run.stdout);
    // What the program writes before it is said to have started waits in the credit.
    await run.started;
    speed = await time(() => read);
    run.stdin.end();
    await run.result;
  } else {
    const run = begin();
    const read = way === "there and back" ? readTotal(run.stdout) : run.result;
    await run.started;
    speed = await time(async () => {
      await writeTotal(run.stdin);
      if (way === "to the workload") run.stdin.end();
      await read;
    });
    run.stdin.end();
    await run.result;
  }
  await keep.ended;
  await gate.close();
  return speed;
}

/** A server in a process of its own, as the Keep is one; it does what the workload would. */
async function throughTls(way: Way): Promise<number> {
  const script = [...process.execArgv, import.meta.filename, "serve", way];
  const child = spawn(process.execPath, script, { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const socket = connect({
    host: "127.0.0.1",
    port: Number(line.toString()),
    rejectUnauthorized: false,
    minVersion: "TLSv1.3",
    ciphers: "TLS_AES_128_GCM_SHA256",
  });
  await once(socket, "secureConnect");
  const speed = await time(async () => {
    // To the server: it answers one octet when it has everything.
    const read = readTotal(socket, way === "to the workload" ? 1 : TOTAL);
    if (way !== "from the workload") await writeTotal(socket);
    await read;
  });
  socket.destroy();
  child.kill("SIGKILL");
  await once(child, "close");
  return speed;
}

async function answer(socket: TLSSocket, way: Way): Promise<void> {
  socket.on("error", () => {});
  if (way === "there and back") socket.pipe(socket);
  else if (way === "from the workload") await writeTotal(socket);
  else {
    await readTotal(socket);
    socket.write("!");
  }
}

function serve(way: Way): void {
  const { certificate: cert, key } = createCertificate();
  const server = createServer({ cert, key, minVersion: "TLSv1.3" }, (socket) =>
    answer(socket, way),
  );
  server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
}

const KINDS = ["TLS over TCP", "attested", "bare"] as const;
type Kind = (typeof KINDS)[number];

async function measure(kind: Kind, way: Way): Promise<void> {
  if (kind === "TLS over TCP") console.log(await throughTls(way));
  else {
    await withLab(async (lab) => console.log(await throughKeep(lab, way, kind === "attested")));
  }
}

/** In a process of its own, as a command is one: what the collector of another measurement has learnt must not count. */
function measureApart(kind: Kind, way: Way): number {
  const args = [...process.execArgv, import.meta.filename, "measure", kind, way];
  const { stdout, status } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) throw new Error(`${kind}, ${way}: the measurement ended with ${status}`);
  return Number(stdout);
}

function compare(way: Way, rounds: number): (string | number)[] {
  const speeds = KINDS.map(() => [] as number[]);
  for (let round = 0; round < rounds; round++) {
    for (const [at, kind] of KINDS.entries()) speeds[at]!.push(measureApart(kind, way));
  }
  const [tls = 0, attested = 0, bare = 0] = speeds.map(median);
  return [way, tls, attested, attested / tls, bare, bare / tls];
}

const [, , task = "5", first, second] = process.argv;
if (task === "serve") serve(first as Way);
else if (task === "measure") await measure(first as Kind, second as Way);
else {
  const rounds = Number(task);
  const rows = WAYS.map((way) => {
    console.error(`bench: ${way}`);
    return compare(way, rounds);
  });
  const heads = ["way", "TLS over TCP, MiB/s", "attested", "ratio", "bare", "ratio"];
  console.log(`\n${MIB} MiB, medians of ${rounds}:\n\n${formatTable(heads, rows, 2)}`);
}
