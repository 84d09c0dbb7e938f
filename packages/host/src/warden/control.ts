/**
 * What an agent and a warden say to each other on the warden's socket. One request per connection: a line of JSON, answered
 * by a line of JSON. After the answer to `session` and `bare` the connection is the stream to the Keep; after that to
 * `assign`, `watch` and `stop` it closes when the warden goes, and before that `assign` and `watch` tell news, a line each.
 */
import type { Duplex } from "node:stream";
import { DonjonError, ERROR_CODES, type ErrorCode } from "@donjon/core/errors";
import type { KeepLimits, KeepListener, NetworkRules } from "@donjon/protocol/agent/keep-record";
import type { KeepState } from "@donjon/protocol/gate/gate";
import type { NetworkRefusal } from "../network/guard.ts";
import type { KeepSockets } from "./host-keep.ts";

export interface Assignment extends KeepSockets {
  readonly limits: Pick<KeepLimits, "lifetimeMs" | "memoryBytes">;
  /** Of the caller whose Keep it is; `null`: none. */
  readonly network: NetworkRules | null;
}

export type WardenRequest =
  | { readonly do: "inspect" | "watch" | "stop" | "session" | "bare" }
  /** Once: gives an unused Keep its sockets and limits. */
  | { readonly do: "assign"; readonly assignment: Assignment };

/** Answer to `inspect` and `assign`. */
export interface WardenReport {
  readonly assigned: boolean;
  readonly protects: boolean;
  readonly sandbox: string;
  readonly image: string;
  readonly listeners: readonly KeepListener[];
  /** What the Keep says; `null` when it did not answer. */
  readonly health: KeepState | null;
  /** Octets through sessions so far. */
  readonly sessionBytes: number;
}

export type WardenAnswer =
  | { readonly ok: WardenReport | null }
  | { readonly error: { readonly code: ErrorCode; readonly message: string } };

/** Told to whoever watches; the first `MAX_NEWS` of a Keep. */
export interface WardenNews {
  readonly refused: NetworkRefusal;
}

/** A Keep may ask for what it may not have without end. */
export const MAX_NEWS = 100;

/** Octets that a socket on the way of a session buffers before its writer is slowed: with fewer, each piece waits for the last. */
export const SOCKET_WINDOW = 1 << 20;

/** Characters of one line. */
const MAX_LINE = 256 << 10;

export function encodeLine(value: WardenRequest | WardenAnswer | WardenNews): string {
  return `${JSON.stringify(value)}\n`;
}

/** What a warden tells who watches; `null`: nothing that is known here. */
export function parseNews(line: string): WardenNews | null {
  try {
    const { refused } = JSON.parse(line) as Partial<WardenNews>;
    return refused === undefined ? null : { refused };
  } catch {
    return null;
  }
}

export function toAnswerError(error: unknown): WardenAnswer {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const known = ERROR_CODES.find((each) => each === code) ?? "internal";
  return { error: { code: known, message: String(message ?? error) } };
}

/** The first line of a stream, as JSON; what came after it is read next. Rejects when there is none. */
export function readLine(stream: Duplex): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const parts: Uint8Array[] = [];
  let size = 0;
  const stop = () => {
    stream.off("data", take).off("end", cut).off("close", cut).off("error", cut);
    stream.pause();
  };
  const cut = () => {
    stop();
    reject(new DonjonError("keep/lost", "the connection to the Keep's warden was cut"));
  };
  const take = (part: Uint8Array) => {
    const at = part.indexOf(0x0a);
    parts.push(at === -1 ? part : part.subarray(0, at));
    size += part.length;
    if (at === -1 && size <= MAX_LINE) return;
    stop();
    if (at + 1 < part.length) stream.unshift(part.subarray(at + 1));
    try {
      resolve(JSON.parse(Buffer.concat(parts).toString()));
    } catch (error) {
      reject(error);
    }
  };
  stream.on("data", take).on("end", cut).on("close", cut).on("error", cut);
  return promise;
}
