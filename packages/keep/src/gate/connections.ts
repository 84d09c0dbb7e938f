/** The workload's sockets: listeners that the host calls, connections that the Keep asks for. */
import { type Duplex, finished } from "node:stream";
import { MUX_REFUSAL, type MuxRefusal } from "@donjon/protocol/gate/mux";
import { DRAIN_MS, MAX_BACKLOG } from "@donjon/protocol/limits";
import type {
  ConnectDescriptor,
  ListenDescriptor,
  ManifestDescriptor,
} from "@donjon/protocol/manifest/manifest";
import type { AttestKey } from "../listener/answer.ts";
import type { TlsListeners } from "../listener/listeners.ts";
import type { DescriptorSpec, Workload } from "../runtime/workload.ts";
import type { GateCaller } from "./caller.ts";

/** What TLS sockets need; loaded for the first, because most workloads have none. */
export interface TlsSide {
  /** Rejects with `gate/refused` when the peer does not prove to be `host`. */
  connect(stream: Duplex, host: string): Promise<Duplex>;
  /** Throws `manifest/value` for a certificate that cannot be served with. */
  listen(
    descriptors: readonly ManifestDescriptor[],
    secrets: ReadonlyMap<string, Uint8Array>,
    attest: AttestKey,
  ): TlsListeners;
}

interface Call {
  readonly name: string;
  readonly accept: () => Duplex;
  readonly refuse: (refusal: MuxRefusal, reason: string) => void;
}

export class Connections {
  readonly #caller: GateCaller;
  readonly #tls: () => Promise<TlsSide>;
  /** Calls that came before the manifest was known; `null` once it is. */
  #early: Call[] | null = [];
  #listeners: ReadonlyMap<string, ListenDescriptor> = new Map();
  #tlsListeners: TlsListeners | null = null;
  #workload: Workload | null = null;
  /** Streams whose last bytes have not been passed on yet. */
  readonly #unfinished = new Set<Duplex>();
  #onDrained: (() => void) | null = null;

  constructor(caller: GateCaller, tls: () => Promise<TlsSide>) {
    this.#caller = caller;
    this.#tls = tls;
  }

  /** The host has a connection for a listener. */
  onCall(call: Call): void {
    if (this.#early === null) this.#route(call);
    else if (this.#early.length < MAX_BACKLOG) this.#early.push(call);
    else call.refuse(MUX_REFUSAL.busy, `${MAX_BACKLOG} connections wait already`);
  }

  /** Before the workload runs. Rejects with `manifest/value` when a TLS listener cannot be served. */
  async prepare(
    descriptors: readonly ManifestDescriptor[],
    secrets: ReadonlyMap<string, Uint8Array>,
    attest: AttestKey,
  ): Promise<void> {
    if (descriptors.some((each) => each.kind === "listen" && each.protocol === "tls")) {
      this.#tlsListeners = (await this.#tls()).listen(descriptors, secrets, attest);
    }
  }

  /** The workload runs: calls that waited and calls to come go to it. */
  open(descriptors: readonly ManifestDescriptor[], workload: Workload): void {
    this.#listeners = new Map(
      descriptors.filter((each) => each.kind === "listen").map((each) => [each.name, each]),
    );
    this.#workload = workload;
    const early = this.#early ?? [];
    this.#early = null;
    for (const call of early) this.#route(call);
  }

  refuseNew(): void {
    this.#workload = null;
    for (const call of this.#early ?? []) refuseUnknown(call);
    this.#early = null;
  }

  async connect(descriptor: ConnectDescriptor): Promise<DescriptorSpec & { kind: "connect" }> {
    const stream = await this.#caller.connect(descriptor);
    this.#watch(stream);
    const secured =
      descriptor.protocol === "tls"
        ? await (await this.#tls()).connect(stream, descriptor.host)
        : stream;
    return { kind: "connect", name: descriptor.name, stream: secured };
  }

  /** Waits until all streams have passed on what was written to them, at most `DRAIN_MS`. */
  drain(): Promise<void> {
    if (this.#unfinished.size === 0) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, DRAIN_MS);
    this.#onDrained = () => {
      clearTimeout(timer);
      resolve();
    };
    return promise;
  }

  #route(call: Call): void {
    const listener = this.#listeners.get(call.name);
    if (listener === undefined || this.#workload === null) {
      refuseUnknown(call);
    } else {
      const stream = call.accept();
      // Whoever called has gone meanwhile.
      if (stream.destroyed) return;
      this.#watch(stream);
      const hand = (connection: Duplex) => this.#hand(listener.name, connection);
      if (listener.protocol === "tls") this.#tlsListeners!.accept(listener, stream, hand);
      else hand(stream);
    }
  }

  #hand(name: string, stream: Duplex): void {
    if (this.#workload?.accept(name, stream) !== true) stream.destroy();
  }

  #watch(stream: Duplex): void {
    stream.on("error", () => {});
    this.#unfinished.add(stream);
    finished(stream, { readable: false }, () => {
      this.#unfinished.delete(stream);
      if (this.#unfinished.size === 0) this.#onDrained?.();
    });
  }
}

function refuseUnknown(call: Call): void {
  call.refuse(MUX_REFUSAL.unknown, "the manifest has no such listener, or nothing runs");
}
