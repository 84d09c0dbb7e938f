/** One Keep in a warden's hands: its gate, its sockets, its limits, and how it ended. */
import type { Duplex } from "node:stream";
import { DonjonError } from "@donjon/core/errors";
import type { EndReason, KeepEndRecord } from "@donjon/protocol/agent/keep-record";
import type { KeepState } from "@donjon/protocol/gate/gate";
import type { Backend, KeepEnd, StartedKeep } from "../backend/backend.ts";
import type { BoundListener } from "../gate/gate.ts";
import { createNetworkGuard } from "../network/guard.ts";
import { type Assignment, MAX_NEWS, type WardenNews, type WardenReport } from "./control.ts";
import { createHealthDesk } from "./health.ts";
import { type HostedKeep, hostKeep } from "./host-keep.ts";
import {
  createEvidenceSource,
  type PreparedSource,
  type SecurityProcessor,
} from "./security-processor.ts";
import { throttleKeep } from "./throttle.ts";
import { type TimeAndMemory, watchKeep } from "./watch.ts";

export interface WardenedKeepOptions {
  readonly backend: Backend;
  /** For a Keep that nothing protects. */
  readonly openSecurityProcessor: () => Promise<SecurityProcessor>;
  readonly onConsole: (line: string) => void;
  /** File that is there as long as the Keep has a record. */
  readonly anchor: string;
  /** For everything that goes through the gate; `null`: no limit. */
  readonly bandwidthBytesPerS: number | null;
}

export class WardenedKeep {
  readonly #backend: Backend;
  readonly #keep: StartedKeep;
  readonly #hosted: HostedKeep;
  readonly #askHealth: () => Promise<KeepState | null>;
  readonly #anchor: string;
  readonly #evidence: PreparedSource | null;
  #assigned = false;
  #listeners: readonly BoundListener[] = [];
  #reason: { readonly reason: EndReason; readonly detail: string } | null = null;
  #sessionBytes = 0;
  readonly #watchers = new Set<(news: WardenNews) => void>();
  #told = 0;
  #unwatch: () => void;

  constructor(options: WardenedKeepOptions) {
    const { backend, openSecurityProcessor, onConsole, anchor, bandwidthBytesPerS } = options;
    this.#backend = backend;
    this.#anchor = anchor;
    const started = backend.start({ onConsole });
    const keep = bandwidthBytesPerS === null ? started : throttleKeep(started, bandwidthBytesPerS);
    this.#keep = keep;
    this.#evidence = backend.protects ? null : createEvidenceSource(keep, openSecurityProcessor);
    this.#hosted = hostKeep(keep, { onConsole, evidence: this.#evidence?.source ?? null });
    this.#askHealth = createHealthDesk(this.#hosted.gate);
    this.#unwatch = this.#watch({ lifetimeMs: null, memoryBytes: null });
  }

  /** Resolves once the Keep answers. Rejects with `keep/start` when it ends before. */
  async ready(): Promise<void> {
    const ended = this.#keep.ended.then((end) => {
      throw new DonjonError("keep/start", `the Keep did not start: it ${describeEnd(end)}`);
    });
    ended.catch(() => {});
    const health = this.#hosted.gate.health();
    // A pipe that ends says less than how the Keep ended, and comes first.
    await Promise.race([health.catch(() => ended), ended]);
  }

  /** Does beforehand what the first evidence would wait for. */
  async prepareEvidence(): Promise<void> {
    await this.#evidence?.prepare();
  }

  /** Once. Rejects with `keep/state` the second time, and with what `openSockets` says. */
  async assign(assignment: Assignment): Promise<WardenReport> {
    if (this.#assigned) throw new DonjonError("keep/state", "the Keep is somebody's already");
    this.#assigned = true;
    const { network } = assignment;
    const onRefused = (refused: WardenNews["refused"]) => this.#tell({ refused });
    const guard = network === null ? null : createNetworkGuard(network, { onRefused });
    this.#listeners = await this.#hosted.openSockets(assignment, guard);
    this.#unwatch();
    this.#unwatch = this.#watch(assignment.limits);
    return this.report();
  }

  async report(): Promise<WardenReport> {
    return {
      assigned: this.#assigned,
      protects: this.#backend.protects,
      sandbox: this.#keep.sandbox,
      image: this.#keep.image,
      listeners: this.#listeners.map(({ name, address, port }) => ({ name, address, port })),
      health: await this.#askHealth(),
      sessionBytes: this.#sessionBytes,
    };
  }

  /** Throws `gate/refused` for a bare session with a Keep that hardware protects, `keep/lost` when it has ended. */
  openSession(bare: boolean): Duplex {
    if (!bare) return this.#hosted.gate.openSession();
    if (!this.#backend.protects) return this.#hosted.gate.openBareSession();
    throw new DonjonError("gate/refused", "a Keep that hardware protects has no bare sessions");
  }

  /** Octets went through a session. */
  count(bytes: number): void {
    this.#sessionBytes += bytes;
  }

  /** Tells `watcher` what happens from now on; answers what ends that. */
  follow(watcher: (news: WardenNews) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Ends the Keep at once; `ended` tells when. */
  stop(reason: EndReason = "stopped", detail = "it was stopped through the agent"): void {
    this.#reason ??= { reason, detail };
    this.#keep.kill();
  }

  /** Resolves when the Keep is gone and its connections have passed on what they carried. */
  async ended(): Promise<KeepEndRecord> {
    const end = await this.#keep.ended;
    this.#unwatch();
    await this.#hosted.close();
    const { reason, detail } = this.#reason ?? {
      reason: "exited",
      detail: `it ${describeEnd(end)}`,
    };
    return { reason, detail, at: Date.now() };
  }

  #tell(news: WardenNews): void {
    this.#told += 1;
    if (this.#told > MAX_NEWS) return;
    for (const watcher of this.#watchers) watcher(news);
  }

  #watch(limits: TimeAndMemory): () => void {
    return watchKeep({
      limits,
      anchor: this.#anchor,
      rootPid: process.pid,
      onBreach: (reason, detail) => this.stop(reason, detail),
    });
  }
}

function describeEnd(end: KeepEnd): string {
  return end.kind === "exited" ? `exited with ${end.code}` : `was ended by ${end.signal}`;
}
