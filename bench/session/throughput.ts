/**
 * Octets per second through an attested session (TLS inside the gate's pipe) from the client's stdin to its stdout by way
 * of a workload, and one way each; beside TLS over loopback TCP between two processes, in turns.
 *
 * Usage: sh tools/node.sh bench/session/throughput.ts [rounds]
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Readable, Writable } from "node:stream";
import { connect, createServer } from "node:tls";
import { openAttestedSession } from "@donjon/client/attested/open";
import { openSession } from "@donjon/client/session";
import { createCertificate } from "@donjon/testkit/contract/certificate";
import { encodeCatGuest } from "@donjon/testkit/contract/guests";
import { formatTable, median } from "../lib/stats.ts";
import { type Lab, withLab } from "./lab.ts";

const ROUNDS = Number(process.argv[2] ?? 5);
const TOTAL = Number(process.env["MIB"] ?? 512) << 20;
const PIECE = Buffer.alloc(256 << 10, 7);

/** Writes `TOTAL` octets to `sink` and reads as many from `source`; MiB per second. */
async function echo(sink: Writable, source: Readable): Promise<number> {
  const begin = performance.now();
  let got = 0;
  const done = Promise.withResolvers<void>();
  source.on("data", (piece: Uint8Array) => {
    got += piece.length;
    if (got === TOTAL) done.resolve();
  });
  for (let sent = 0; sent < TOTAL; sent += PIECE.length) {
    if (!sink.write(PIECE)) await once(sink, "drain");
  }
  await done.promise;
  return TOTAL / 1048576 / ((performance.now() - begin) / 1000);
}

async function throughKeep(lab: Lab, attested: boolean): Promise<number> {
  const { keep, gate } = lab.start();
  const { identity, verify } = lab;
  const session = attested
    ? await openAttestedSession(gate.openSession(), { identity, verify, expect: "new" })
    : openSession(gate.openBareSession());
  const workload = encodeCatGuest();
  const sha256 = createHash("sha256").update(workload).digest("hex");
  const manifest = Buffer.from(`[workload]\nsha256 = "${sha256}"\n`);
  const run = session.provision({ manifest, workload, secrets: new Map(), trees: [] });
  await run.started;
  const speed = await echo(run.stdin, run.stdout);
  run.stdin.end();
  await run.result;
  await keep.ended;
  await gate.close();
  return speed;
}

/** An echo server in a process of its own, as the Keep is one. */
async function throughTls(): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, import.meta.filename, "serve"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const socket = connect({
    host: "127.0.0.1",
    port: Number(line.toString()),
    rejectUnauthorized: false,
    minVersion: "TLSv1.3",
    ciphers: "TLS_AES_128_GCM_SHA256",
  });
  await once(socket, "secureConnect");
  const speed = await echo(socket, socket);
  socket.destroy();
  child.kill("SIGKILL");
  await once(child, "close");
  return speed;
}

function serve(): void {
  const { certificate: cert, key } = createCertificate();
  const server = createServer({ cert, key, minVersion: "TLSv1.3" }, (socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
}

if (process.argv[2] === "serve") serve();
else {
  await withLab(async (lab) => {
    const speeds: Record<string, number[]> = { tls: [], attested: [], bare: [] };
    for (let round = 0; round < ROUNDS; round++) {
      speeds["tls"]!.push(await throughTls());
      speeds["attested"]!.push(await throughKeep(lab, true));
      speeds["bare"]!.push(await throughKeep(lab, false));
      console.error(
        round,
        Object.values(speeds)
          .map((each) => each.at(-1)!.toFixed(0))
          .join(" "),
      );
    }
    const tls = median(speeds["tls"]!);
    const rows = Object.entries(speeds).map(([name, values]) => [
      name,
      median(values),
      median(values) / tls,
    ]);
    console.log(`\nthere and back, ${TOTAL >> 20} MiB, medians of ${ROUNDS}:\n`);
    console.log(formatTable(["carrier", "MiB/s", "ratio to TLS over TCP"], rows, 2));
  });
}
