/** A warden's unix socket: answers agents, and joins their sessions to the Keep's gate. */
import { rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { DonjonError } from "@donjon/core/errors";
import { splice } from "../gate/splice.ts";
import {
  encodeLine,
  readLine,
  SOCKET_WINDOW,
  toAnswerError,
  type WardenAnswer,
  type WardenNews,
  type WardenRequest,
} from "./control.ts";
import type { WardenedKeep } from "./wardened-keep.ts";

export interface WardenServer {
  /**
   * Takes no more connections; resolves when sessions have passed on what they carried, at most after `limitMs`. Those who
   * watch stay connected until the process ends.
   */
  close(limitMs: number): Promise<void>;
}

export async function serveWarden(path: string, keep: WardenedKeep): Promise<WardenServer> {
  const sessions = new Set<Promise<void>>();
  const track = (closed: Promise<void>): void => {
    sessions.add(closed);
    closed.then(() => sessions.delete(closed));
  };
  const server = createServer({ allowHalfOpen: true, highWaterMark: SOCKET_WINDOW }, (socket) => {
    socket.on("error", () => {});
    answer(socket, keep, track).catch((error) => socket.end(encodeLine(toAnswerError(error))));
  });
  // Whoever can open it rules the Keep: nobody but this user, from its first moment.
  const mask = process.umask(0o177);
  try {
    await listen(server, path);
  } finally {
    process.umask(mask);
  }
  return {
    async close(limitMs) {
      server.close();
      rmSync(path, { force: true });
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, limitMs);
      Promise.all(sessions).then(() => resolve());
      await promise;
      clearTimeout(timer);
    },
  };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ path, backlog: 1024 }, () => resolve());
  });
}

async function answer(
  socket: Socket,
  keep: WardenedKeep,
  track: (closed: Promise<void>) => void,
): Promise<void> {
  const request = (await readLine(socket)) as WardenRequest;
  const say = (value: WardenAnswer | WardenNews) => socket.write(encodeLine(value));
  switch (request.do) {
    case "inspect":
      say({ ok: await keep.report() });
      socket.end();
      return;
    case "assign":
      say({ ok: await keep.assign(request.assignment) });
      socket.on("close", keep.follow(say)).resume();
      return;
    case "watch":
      say({ ok: null });
      socket.on("close", keep.follow(say)).resume();
      return;
    case "stop":
      say({ ok: null });
      // The connection closes when the warden goes: by that the agent knows.
      socket.resume();
      keep.stop();
      return;
    case "session":
    case "bare": {
      const stream = keep.openSession(request.do === "bare");
      say({ ok: null });
      stream.on("data", (chunk: Uint8Array) => keep.count(chunk.length));
      socket.on("data", (chunk: Uint8Array) => keep.count(chunk.length));
      track(splice(socket, stream));
      return;
    }
    default:
      throw new DonjonError("internal", "the warden was asked for something it does not know");
  }
}
