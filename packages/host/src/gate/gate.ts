/** The host's side of the gate (protocol README, gate): calls the Keep, answers its calls. */
import type { Duplex } from "node:stream";
import type { StartedKeep } from "../backend/backend.ts";

export interface GateOptions {
  /** Lines of the Keep's own runtime. */
  readonly onConsole: (line: string) => void;
}

export interface ListenAddress {
  /** The listener's name in the manifest. */
  readonly name: string;
  /** Address to bind, for example `127.0.0.1` or `::`. */
  readonly address: string;
  /** 0: any free port. */
  readonly port: number;
}

export interface BoundListener {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  close(): void;
}

export interface KeepHealth {
  readonly protocol: number;
  readonly state: "new" | "provisioned" | "running" | "exited";
}

export interface Gate {
  /** A stream for `openSession` of `@donjon/client/session`. Several may be open at once. */
  openSession(): Duplex;
  /**
   * The only connections the Keep may ask for, as `host:port` (IPv6: `[::1]:80`). Nothing is allowed before
   * this is called. Call it before `provision`: the Keep connects before the workload starts.
   */
  allowConnections(authorities: readonly string[]): void;
  /**
   * Binds a TCP port and hands each connection to the Keep. May be called before `provision`: the
   * Keep holds early connections until it knows its manifest. Rejects with `gate/refused` when the
   * port cannot be bound.
   */
  listen(listen: ListenAddress): Promise<BoundListener>;
  health(): Promise<KeepHealth>;
  /** Closes listeners and pipes; the Keep ends. */
  close(): void;
}

/** Speaks HTTP/2 on the pipes of a started Keep. Sends nothing before the first call. */
export declare function openGate(keep: StartedKeep, options: GateOptions): Gate;
