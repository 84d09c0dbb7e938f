/** The life of one Keep: new, provisioned by its owner, running, exited. Once through, never back. */
import { equalBytes } from "@donjon/core/bytes";
import { DonjonError } from "@donjon/core/errors";
import type { Binding } from "@donjon/protocol/attestation/binding";
import type { KeepState } from "@donjon/protocol/gate/gate";
import type { StopHow } from "@donjon/protocol/session/outcome";
import type { Asker, Prover } from "../attest/prover.ts";
import type { Connections } from "../gate/connections.ts";
import type { KeepClock } from "../node/keep-clock.ts";
import type { EngineRoom, Workload } from "../runtime/workload.ts";
import type { Channel } from "./channel.ts";
import { DetachedRun } from "./detached-run.ts";
import { createWorkloadSpec, forgetSecrets, type Provisioned } from "./provision.ts";

/** Those who come to TLS listeners have one turn together; the owner and its sessions have theirs. */
const LISTENERS: Asker = { destroyed: false };

/** Modules from this size on are compiled while trees and manifest come; smaller ones take no time worth a message of its own. */
const COMPILED_AHEAD_BYTES = 1 << 20;

export interface KeepParts {
  readonly room: EngineRoom;
  readonly connections: Connections;
  readonly prover: Prover;
  readonly clock: KeepClock;
  /** Ends the Keep's process; called when the session of an owner who did not detach is over. */
  readonly end: () => void;
}

export class Keep {
  readonly #parts: KeepParts;
  #owner: Pick<Channel, "client" | "secured"> | null = null;
  #provisioned: Pick<Provisioned, "manifest" | "manifestDigest"> | null = null;
  #state: KeepState = "new";
  #workload: Workload | null = null;
  #earlyStop: StopHow | null = null;
  #detached: DetachedRun | null = null;
  #drained: Promise<void> | null = null;

  constructor(parts: KeepParts) {
    this.#parts = parts;
  }

  get state(): KeepState {
    return this.#state;
  }

  get claimed(): boolean {
    return this.#owner !== null;
  }

  /** Ends the workload; one that does not run yet, as soon as it does. */
  stop(how: StopHow): void {
    if (this.#workload === null) this.#earlyStop = how;
    else this.#workload.stop(how);
  }

  /** Makes the caller the owner. Throws `session/refused` when there is one, or when it has no key to be known by. */
  claim(channel: Channel): void {
    if (this.#owner !== null) {
      throw new DonjonError(
        "session/refused",
        "this Keep was provisioned already and takes no second workload; start another Keep",
      );
    }
    if (channel.secured !== null && channel.client === null) {
      throw new DonjonError(
        "session/refused",
        "only a client with a certificate can own this Keep; give one in the TLS handshake",
      );
    }
    this.#owner = channel;
  }

  /** Throws `session/refused` for anybody but the owner. Bare sessions are all of one party: the host. */
  requireOwner(channel: Channel, what: string): void {
    const owner = this.#owner;
    if (owner !== null && (owner.secured === null) === (channel.secured === null)) {
      if (owner.client === null && channel.client === null) return;
      if (owner.client && channel.client && equalBytes(owner.client, channel.client)) return;
    }
    throw new DonjonError(
      "session/refused",
      `only the owner of this Keep may ${what}; open the session with the key that provisioned it`,
    );
  }

  /** Evidence that ties this channel to the Keep as it is now, as a CMW. */
  async attest(channel: Channel, nonce: Uint8Array): Promise<Uint8Array> {
    if (channel.secured === null) {
      throw new DonjonError(
        "session/refused",
        "evidence is bound to TLS, and this session has none; open one that is not bare",
      );
    }
    const manifest = this.#provisioned?.manifest;
    if (manifest?.sessions.attest === "owner") this.requireOwner(channel, "ask for evidence");
    return this.#prove({ nonce, ...channel.secured }, channel.stream);
  }

  /** Has a large module compiled while the rest still comes. It is the claimer's, and not yet known to be the manifest's. */
  prepare(module: Uint8Array): void {
    if (module.length >= COMPILED_AHEAD_BYTES) this.#parts.room.prepare(module);
  }

  async start(provisioned: Provisioned): Promise<Workload> {
    const { room, connections, clock } = this.#parts;
    const { manifest, manifestDigest, detached, timeMs } = provisioned;
    this.#provisioned = { manifest, manifestDigest };
    this.#state = "provisioned";
    clock.learn(timeMs);
    await connections.prepare(manifest.descriptors, provisioned.secrets, (nonce, key) =>
      this.#attestListener(nonce, key),
    );
    const spec = await createWorkloadSpec(provisioned, clock.floorNs, (descriptor) =>
      connections.connect(descriptor),
    );
    const workload = room.run(spec);
    forgetSecrets(provisioned);
    this.#workload = workload;
    this.#state = "running";
    if (detached) this.#detached = new DetachedRun(workload);
    connections.open(manifest.descriptors, workload);
    if (this.#earlyStop !== null) workload.stop(this.#earlyStop);
    workload.result.then(
      () => this.#exited(),
      () => this.#exited(),
    );
    return workload;
  }

  /** The workload that outlives sessions. Throws `keep/state` when there is none. */
  requireDetached(): DetachedRun {
    if (this.#detached !== null) return this.#detached;
    throw new DonjonError(
      "keep/state",
      `this Keep is ${this.#state} and has no detached workload; provision it detached first`,
    );
  }

  /** Resolves when the connections have passed on what the workload wrote, or will not. */
  drain(): Promise<void> {
    this.#drained ??= this.#parts.connections.drain();
    return this.#drained;
  }

  /** The owner's session is over, and with it the Keep. */
  finish(): void {
    this.#exited();
    this.#parts.end();
  }

  /** Evidence for whoever comes to a TLS listener. Rejects where only the owner may have any. */
  async #attestListener(nonce: Uint8Array | null, key: Uint8Array): Promise<Uint8Array> {
    if (this.#provisioned?.manifest.sessions.attest === "owner") {
      throw new DonjonError("session/refused", "the manifest keeps evidence for the owner");
    }
    return this.#prove({ nonce, exporter: null, key }, LISTENERS);
  }

  #prove(subject: Pick<Binding, "nonce" | "exporter" | "key">, asker: Asker): Promise<Uint8Array> {
    const binding: Binding = {
      ...subject,
      manifest: fromHex(this.#provisioned?.manifestDigest),
      workload: fromHex(this.#provisioned?.manifest.workload.sha256),
      owner: this.#owner?.client ?? null,
    };
    return this.#parts.prover.prove(binding, asker);
  }

  #exited(): void {
    this.#state = "exited";
    this.#parts.connections.refuseNew();
  }
}

function fromHex(digest: string | null | undefined): Uint8Array | null {
  return digest == null ? null : Buffer.from(digest, "hex");
}
