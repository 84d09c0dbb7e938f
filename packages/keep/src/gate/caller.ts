/** The pipe `out`: the Keep calls the host (protocol README, gate). Opened by the first call. */
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import type { Duplex } from "node:stream";
import { DonjonError } from "@donjon/core/errors";
import {
  type Authority,
  checkGateProtocol,
  encodeAuthority,
  GATE_CONNECTION_WINDOW,
  GATE_ERROR_HEADER,
  GATE_HEADER,
  GATE_PROTOCOL,
  GATE_SETTINGS,
  GATE_STATUS,
} from "@donjon/protocol/gate/gate";
import { MAX_CONSOLE_LINE } from "@donjon/protocol/limits";

export interface GateCaller {
  /** Rejects with `gate/refused` when the host does not allow it, `gate/closed` when it was not reached. */
  connect(target: Authority): Promise<Duplex>;
  /** One line of the runtime itself; never workload output, never secrets. */
  log(line: string): void;
}

const VERSION = { [GATE_HEADER]: String(GATE_PROTOCOL) };

export function createGateCaller(openPipe: () => Duplex): GateCaller {
  let session: ClientHttp2Session | null = null;
  const opened = (): ClientHttp2Session => {
    if (session !== null) return session;
    session = connect("http://host", { createConnection: openPipe, settings: GATE_SETTINGS });
    session.on("error", () => {});
    session.on("connect", (it) => {
      // The host may have gone before this comes.
      if (!it.destroyed) it.setLocalWindowSize(GATE_CONNECTION_WINDOW);
    });
    return session;
  };
  return {
    connect: (target) => connectStream(opened(), target),
    log(line) {
      const call = opened().request({ ":method": "POST", ":path": "/console", ...VERSION });
      call.on("error", () => {});
      call.resume();
      call.end(line.slice(0, MAX_CONSOLE_LINE));
    },
  };
}

function connectStream(session: ClientHttp2Session, target: Authority): Promise<Duplex> {
  const authority = encodeAuthority(target);
  const stream: ClientHttp2Stream = session.request(
    { ":method": "CONNECT", ":authority": authority, ...VERSION },
    { endStream: false },
  );
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
  const closed = (why: string) =>
    new DonjonError("gate/closed", `the connection to ${authority} was not made: ${why}`);
  stream.on("error", (error) => reject(closed(error.message)));
  stream.on("close", () => reject(closed("the host closed the stream")));
  stream.on("response", (headers) => {
    const status = headers[":status"];
    try {
      checkGateProtocol(headers[GATE_HEADER]);
      if (status === GATE_STATUS.ok) return resolve(stream);
      const said = String(headers[GATE_ERROR_HEADER] ?? `status ${status}`).slice(0, 256);
      const refused = status === GATE_STATUS.refused;
      reject(
        refused
          ? new DonjonError(
              "gate/refused",
              `the host refuses a connection to ${authority}: ${said}`,
            )
          : closed(said),
      );
    } catch (error) {
      reject(error);
    }
    stream.close();
  });
  return promise;
}
