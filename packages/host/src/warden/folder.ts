/** A Keep's folder, `<state>/keeps/<id>`: what agent and warden leave there for each other. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { KeepEndRecord } from "@donjon/protocol/agent/keep-record";
import type { BackendName } from "../backend/backend.ts";
import type { ProcessMark } from "./process-tree.ts";

export interface KeepFolder {
  readonly path: string;
  /** What to start; written by the agent before the warden is. Gone: the Keep's record is gone. */
  readonly order: string;
  /** Who the warden and its Keep are. */
  readonly processes: string;
  /** Where the warden answers. */
  readonly socket: string;
  /** The Keep's console, bounded. */
  readonly console: string;
  /** How the Keep ended; there only when it has. */
  readonly end: string;
  /** What the warden itself had to say. */
  readonly log: string;
}

/** Longest path of a unix socket (unix(7): sun_path, with its NUL). */
const MAX_SOCKET_PATH = 107;

export function describeKeepFolder(path: string): KeepFolder {
  return {
    path,
    order: join(path, "order.json"),
    processes: join(path, "processes.json"),
    socket: join(path, "warden.sock"),
    console: join(path, "console.log"),
    end: join(path, "end.json"),
    log: join(path, "warden.log"),
  };
}

export function fitsSocketPath(path: string): boolean {
  return Buffer.byteLength(path) <= MAX_SOCKET_PATH;
}

export interface KeepOrder {
  readonly backend: BackendName;
  /** Fixed from the start: it decides how the pipes are opened. */
  readonly bandwidthBytesPerS: number | null;
}

/** The warden first, then everything that the Keep is made of. */
export type KeepProcesses = readonly ProcessMark[];

/** All at once or not at all, whenever this process ends. */
export function writeJson(path: string, value: unknown): void {
  const draft = `${path}.draft`;
  writeFileSync(draft, `${JSON.stringify(value)}\n`, { mode: 0o600 });
  renameSync(draft, path);
}

export function readOrder(folder: KeepFolder): KeepOrder {
  return JSON.parse(readFileSync(folder.order, "utf8"));
}

/** Empty when the warden had not come as far as to say it. */
export function readProcesses(folder: KeepFolder): KeepProcesses {
  return readOptionalJson<KeepProcesses>(folder.processes) ?? [];
}

/** `null`: it has not ended, or nobody was left to say so. */
export function readEnd(folder: KeepFolder): KeepEndRecord | null {
  return readOptionalJson<KeepEndRecord>(folder.end);
}

/** What this user wrote there; `null` when there is no such file, or it is not JSON. */
export function readOptionalJson<T>(path: string): T | null {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as T;
  } catch {
    return null;
  }
}
