/**
 * The entry of the measured runtime. The worker's start comes first: it takes longest and overlaps with all else.
 * The Keep ends when its owner's session is over, or when the host lets go of the pipe, whatever a workload does.
 */

import { room } from "./room.ts";

// The worker is on its way: the rest loads while it starts.

import { createGateCaller } from "./gate/caller.ts";
import { Connections, type TlsSide } from "./gate/connections.ts";
import { serveGate } from "./gate/server.ts";
import { endKeep } from "./node/exit.ts";
import { dropPermissions } from "./node/permissions.ts";
import { IN_DESCRIPTOR, OUT_DESCRIPTOR, openPipe } from "./node/pipes.ts";
import { openChannelWithoutEvidence } from "./session/channel.ts";
import { Keep } from "./session/keep.ts";
import { serveSession } from "./session/server.ts";

// Workers stay allowed on this thread: a workload with threads gets one for each.
dropPermissions("fs.read");
const caller = createGateCaller(() => openPipe(OUT_DESCRIPTOR));
let tls: Promise<TlsSide> | null = null;
const connections = new Connections(caller, () => {
  tls ??= openTls();
  return tls;
});
const keep = new Keep(room, connections, endKeep);

process.on("uncaughtException", (error) => {
  caller.log(`the Keep ends because of a defect: ${error.stack ?? error}`);
  setImmediate(endKeep);
});

serveGate(openPipe(IN_DESCRIPTOR), {
  state: () => keep.state,
  onSession: (stream) => stream.destroy(),
  onBareSession: (stream) => serveSession(openChannelWithoutEvidence(stream), keep),
  onConnection: (name, accept, refuse) => connections.onCall({ name, accept, refuse }),
  onClosed: endKeep,
});

/** Most workloads have no TLS socket: its code, which is large, and the key pair are made for the first. */
async function openTls(): Promise<TlsSide> {
  const { createIdentity } = await import("./identity/identity.ts");
  const { connectTls, createTlsContext } = await import("./gate/tls.ts");
  const { createTlsListeners } = await import("./listener/listeners.ts");
  const identity = createIdentity(Date.now());
  const own = createTlsContext({ cert: identity.certificatePem, key: identity.keyPem });
  return {
    connect: (stream, host) => connectTls(stream, host, own),
    listen: (descriptors, secrets, attest) =>
      createTlsListeners({ descriptors, secrets, identity, attest, log: caller.log }),
  };
}
