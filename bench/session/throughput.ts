/**
 * Octets per second between a client and a workload: through an attested session (TLS inside the gate's pipe), through a
 * bare one, and through TLS over loopback TCP between two processes, in turns. To the workload, from it, and there and back.
 *
 * Usage: sh tools/node.sh --max-semi-space-size=1 bench/session/throughput.ts [rounds]; MIB: size of one measurement, at most 1024.
 * The flag is what `donjon deploy` starts its engine with; the TLS beside it gets the same.
 */
import { spawn } from "node:child_process";
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

const MIB = Number(process.env["MIB"] ?? 512);
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

async function compare(lab: Lab, way: Way, rounds: number): Promise<(string | number)[]> {
  const tls: number[] = [];
  const attested: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < rounds; round++) {
    tls.push(await throughTls(way));
    attested.push(await throughKeep(lab, way, true));
    bare.push(await throughKeep(lab, way, false));
  }
  const plain = median(tls);
  return [
    way,
    plain,
    median(attested),
    median(attested) / plain,
    median(bare),
    median(bare) / plain,
  ];
}

if (process.argv[2] === "serve") serve(process.argv[3] as Way);
else {
  const rounds = Number(process.argv[2] ?? 5);
  await withLab(async (lab) => {
    const rows: (string | number)[][] = [];
    for (const way of WAYS) {
      console.error(`bench: ${way}`);
      rows.push(await compare(lab, way, rounds));
    }
    const heads = ["way", "TLS over TCP, MiB/s", "attested", "ratio", "bare", "ratio"];
    console.log(`\n${MIB} MiB, medians of ${rounds}:\n\n${formatTable(heads, rows, 2)}`);
  });
}
