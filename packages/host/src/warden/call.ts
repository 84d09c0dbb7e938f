/** The agent's side of a warden's socket. */
import { connect, type NetConnectOpts, type Socket } from "node:net";
import { DonjonError } from "@donjon/core/errors";
import {
  encodeLine,
  readLine,
  SOCKET_WINDOW,
  type WardenAnswer,
  type WardenReport,
  type WardenRequest,
} from "./control.ts";
import type { KeepFolder } from "./folder.ts";

/** A warden that says nothing for so long is none. */
const ANSWER_MS = 20_000;

/** Asks, and lets go. Rejects with `keep/lost` when the warden cannot be reached, else with its own error. */
export async function askWarden(
  folder: KeepFolder,
  request: WardenRequest,
): Promise<WardenReport | null> {
  const { socket, report } = await openWarden(folder, request);
  socket.destroy();
  return report;
}

/** The same, with the connection left open and paused; an error on it is no news but its end. */
export async function openWarden(
  folder: KeepFolder,
  request: WardenRequest,
): Promise<{ readonly socket: Socket; readonly report: WardenReport | null }> {
  const socket = connect({
    path: folder.socket,
    allowHalfOpen: true,
    highWaterMark: SOCKET_WINDOW,
  } as NetConnectOpts);
  socket.on("error", () => {});
  // A session may end one way and go on the other; all else is over when the warden says so.
  if (request.do !== "session" && request.do !== "bare") socket.on("end", () => socket.destroy());
  socket.write(encodeLine(request));
  const timer = setTimeout(() => socket.destroy(), ANSWER_MS);
  try {
    const answer = (await readLine(socket)) as WardenAnswer;
    if ("ok" in answer) return { socket, report: answer.ok };
    socket.destroy();
    throw new DonjonError(answer.error.code, answer.error.message);
  } finally {
    clearTimeout(timer);
  }
}
