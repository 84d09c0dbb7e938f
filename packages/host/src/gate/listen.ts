/** TCP ports of the host that lead to the Keep's listeners. */

import type { AddressInfo } from "node:net";
import { createServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { DonjonError } from "@donjon/core/errors";
import { explainListenError } from "../network/listen-error.ts";
import type { BoundListener, ListenAddress } from "./gate.ts";
import { splice } from "./splice.ts";

/** Connections that the kernel holds until they are accepted. */
const KERNEL_BACKLOG = 4096;

/**
 * `open` asks the Keep for a stream per connection; `track` is told when each will be closed.
 * Rejects with `gate/refused` when the port cannot be bound.
 */
export function listenForKeep(
  { name, address, port }: ListenAddress,
  open: () => Duplex,
  track: (closed: Promise<void>) => void,
): Promise<BoundListener> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket: Socket) => {
    try {
      track(splice(socket, open()));
    } catch {
      socket.resetAndDestroy();
    }
  });
  const { promise, resolve, reject } = Promise.withResolvers<BoundListener>();
  server.once("error", (cause: NodeJS.ErrnoException) => {
    const message = `listener "${name}" cannot listen on ${address} port ${port}: ${explainListenError(cause)}`;
    reject(new DonjonError("gate/refused", message, { cause }));
  });
  server.listen({ host: address, port, backlog: KERNEL_BACKLOG }, () => {
    const bound = server.address() as AddressInfo;
    resolve({ name, address: bound.address, port: bound.port, close: () => void server.close() });
  });
  return promise;
}
