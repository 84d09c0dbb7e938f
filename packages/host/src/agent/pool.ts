/** Keeps that are started before anybody wants them. */

import type { ChosenBackend } from "./choose-backend.ts";
import type { KeepHost } from "./keep-host.ts";
import type { Log } from "./log.ts";
import type { KeepStore } from "./state/keep-store.ts";

export interface PoolOptions {
  readonly size: number;
  readonly store: KeepStore;
  readonly host: KeepHost;
  readonly log: Log;
  readonly chooseBackend: () => Promise<ChosenBackend>;
}

/** After a start that failed. */
const RETRY_MS = 10_000;

export class Pool {
  readonly #options: PoolOptions;
  readonly #ready: string[] = [];
  readonly #starting = new Set<Promise<void>>();
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Keeps of an agent before this one. */
  adopt(ids: readonly string[]): void {
    this.#ready.push(...ids);
    this.refill();
  }

  /** One that is ready, of this backend; `null`: there is none. */
  take(backend: string): string | null {
    const at = this.#ready.findIndex((id) => this.#options.store.get(id)?.backend === backend);
    if (at === -1) return null;
    const [id] = this.#ready.splice(at, 1);
    // Not beside the work of who takes this one.
    setTimeout(() => this.refill(), REFILL_MS).unref();
    return id!;
  }

  /** It ended by itself. */
  drop(id: string): void {
    const at = this.#ready.indexOf(id);
    if (at !== -1) this.#ready.splice(at, 1);
    this.#options.host.remove(id).catch(() => {});
    this.refill();
  }

  refill(): void {
    while (!this.#closed && this.#retry === undefined && this.#missing() > 0) {
      const start = this.#start().finally(() => this.#starting.delete(start));
      this.#starting.add(start);
    }
  }

  /** Ends all of them. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    await Promise.all(this.#starting);
    await Promise.all(this.#ready.splice(0).map((id) => this.#options.host.remove(id)));
  }

  #missing(): number {
    return this.#options.size - this.#ready.length - this.#starting.size;
  }

  /** Never rejects. */
  async #start(): Promise<void> {
    const { store, host, log, chooseBackend } = this.#options;
    const id = host.newId();
    try {
      const { name: backend, protects } = await chooseBackend();
      store.insert({ ...EMPTY, id, name: id, backend, protects, createdAt: Date.now() });
      await host.start(id, { backend, bandwidthBytesPerS: null });
      await host.watch(id);
      store.update(id, { state: "pooled" });
      this.#ready.push(id);
      host.confirm(id);
    } catch (error) {
      log("error", "a Keep for the pool did not start", { reason: (error as Error).message });
      await host.remove(id);
      this.#retry ??= setTimeout(() => {
        this.#retry = undefined;
        this.refill();
      }, RETRY_MS).unref();
    }
  }
}

/** Time from taking a Keep to what its workload first says, on a small machine; starting another would slow that down. */
const REFILL_MS = 200;

const EMPTY = {
  state: "starting",
  owner: null,
  labels: {},
  listeners: [],
  connections: [],
  network: null,
  limits: { lifetimeMs: null, memoryBytes: null, bandwidthBytesPerS: null },
  sandbox: "",
  image: "",
  end: null,
} as const;
