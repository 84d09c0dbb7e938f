/**
 * Gate side of a listener: connections wait here, without memory of their own, until the workload is
 * about to accept them.
 */
import type { Duplex } from "node:stream";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { MAX_BACKLOG } from "@donjon/protocol/limits";
import { ACCEPT_AHEAD, WORKER_BELL } from "./control.ts";
import { Doorbell, type SharedWords } from "./doorbell.ts";
import type { GateBell } from "./gate-bell.ts";
import { ConnectionPump } from "./gate-streams.ts";
import { ACCEPTED, CLOSED, HANDED, LISTENER_WORDS } from "./messages.ts";

export class GateListener {
  /** For the worker's end. */
  readonly words: SharedWords = new Int32Array(new SharedArrayBuffer(LISTENER_WORDS * 4));
  readonly workerPort: MessagePort;
  readonly index: number;
  readonly #port: MessagePort;
  readonly #bell: GateBell;
  readonly #control: SharedWords;
  readonly #worker: Doorbell;
  /** Connections that wait to be handed over, oldest first. */
  readonly #backlog = new Set<Duplex>();
  readonly #pumps: Set<ConnectionPump>;
  #handed = 0;
  #closed = false;

  /** `pumps` holds the open connections of the workload. */
  constructor(bell: GateBell, control: SharedWords, pumps: Set<ConnectionPump>) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.workerPort = port2;
    this.#bell = bell;
    this.#control = control;
    this.#worker = new Doorbell(control, WORKER_BELL);
    this.#pumps = pumps;
    this.index = bell.add(() => this.#turn());
  }

  /** Takes a connection in; `false`: the backlog is full, or nobody listens. */
  accept(stream: Duplex): boolean {
    if (this.#closed || this.#backlog.size >= MAX_BACKLOG) return false;
    this.#backlog.add(stream);
    const forget = (): boolean => this.#backlog.delete(stream);
    stream.on("error", forget);
    stream.on("close", forget);
    this.#handOver();
    return true;
  }

  /** Refuses what waits and what comes. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const stream of this.#backlog) stream.destroy();
    this.#backlog.clear();
    this.#port.close();
    this.#bell.remove(this.index);
  }

  #turn(): void {
    if (Atomics.load(this.words, CLOSED) !== 0) this.close();
    else this.#handOver();
  }

  #handOver(): void {
    const accepted = Atomics.load(this.words, ACCEPTED);
    for (const stream of this.#backlog) {
      if (((this.#handed - accepted) | 0) >= ACCEPT_AHEAD) return;
      this.#backlog.delete(stream);
      const pump: ConnectionPump = new ConnectionPump(stream, this.#bell, this.#control, () =>
        this.#pumps.delete(pump),
      );
      if (pump.grant.index < 0) {
        stream.destroy();
        continue;
      }
      this.#pumps.add(pump);
      this.#port.postMessage(pump.grant);
      this.#handed = (this.#handed + 1) | 0;
      Atomics.store(this.words, HANDED, this.#handed);
      this.#worker.ring();
    }
  }
}
