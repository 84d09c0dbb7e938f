/**
 * The entry of the measured runtime. The worker's start comes first: it takes longest and overlaps with all else.
 * The Keep ends when its owner's session is over, or when the host lets go of the pipe, whatever a workload does.
 */

import { room } from "./room.ts";

// The worker is on its way: the rest loads while it starts.

import { openAttester } from "./attest/attester.ts";
import { Prover } from "./attest/prover.ts";
import { createGateCaller } from "./gate/caller.ts";
import { Connections, type TlsSide } from "./gate/connections.ts";
import { serveGate } from "./gate/server.ts";
import type { KeepIdentity } from "./identity/identity.ts";
import { dropSignals, endKeep } from "./node/exit.ts";
import { createKeepClock } from "./node/keep-clock.ts";
import { describeDefect } from "./node/last-words.ts";
import { dropPermissions, mayRead } from "./node/permissions.ts";
import { findLane, IN_DESCRIPTOR, OUT_DESCRIPTOR, openPipe } from "./node/pipes.ts";
import { Keep } from "./session/keep.ts";
import type { AcceptSession } from "./session/secured.ts";
import { Sessions } from "./session/sessions.ts";

dropSignals();
const caller = createGateCaller(() => openPipe(OUT_DESCRIPTOR));
const attester = openAttester(caller);
// Where there are walls besides the engine's, there are no files behind them but the image, and this thread may read it to say
// its digest. A security processor speaks by files. Workers stay allowed: a workload with threads gets one for each.
const seesImage = mayRead("/lib");
if (!attester.hardware) dropPermissions("fs.write");
if (!attester.hardware && !seesImage) dropPermissions("fs.read");
const clock = createKeepClock();
let identity: Promise<KeepIdentity> | null = null;
let tls: Promise<TlsSide> | null = null;
let image: Promise<string> | null = null;
const connections = new Connections(caller, () => {
  tls ??= openTls();
  return tls;
});
const prover = new Prover(attester);
const keep = new Keep({ room, connections, prover, clock, end: endKeep });
const sessions = new Sessions(keep, { onlySecured: attester.hardware, openAcceptor });

process.on("uncaughtException", (error) => {
  caller.log(`the Keep ends because of a defect: ${describeDefect(error)}`);
  setImmediate(endKeep);
});

serveGate(openPipe(IN_DESCRIPTOR), {
  openLane: findLane(),
  state: () => keep.state,
  onImage: () => {
    image ??= readImage();
    return image;
  },
  onSession: (call, bare) => sessions.onCall(call, bare),
  onConnection: (name, accept, refuse) => connections.onCall({ name, accept, refuse }),
  onClosed: endKeep,
});

async function readImage(): Promise<string> {
  if (!seesImage) throw new Error("this Keep may read no files, and so not those of its image");
  const { readImageDigest } = await import("./image/digest.ts");
  return readImageDigest();
}

/** One key pair per Keep; the code for it is large, and is loaded when it is needed. */
function openIdentity(): Promise<KeepIdentity> {
  identity ??= import("./identity/identity.ts").then(({ createIdentity }) =>
    createIdentity(Date.now()),
  );
  return identity;
}

async function openAcceptor(): Promise<AcceptSession> {
  const { createSessionAcceptor } = await import("./session/secured.ts");
  return createSessionAcceptor(await openIdentity());
}

/** Most workloads have no TLS socket. */
async function openTls(): Promise<TlsSide> {
  const { connectTls, createTlsContext } = await import("./gate/tls.ts");
  const { createTlsListeners } = await import("./listener/listeners.ts");
  const own = await openIdentity();
  const context = createTlsContext({ cert: own.certificatePem, key: own.keyPem });
  return {
    connect: (stream, host) => connectTls(stream, host, context, clock.now),
    listen: (descriptors, secrets, attest) =>
      createTlsListeners({
        descriptors,
        secrets,
        attest,
        identity: own,
        log: caller.log,
        now: clock.now,
      }),
  };
}
