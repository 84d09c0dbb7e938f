/** Wardens as an agent uses them: started, watched, ended; their Keeps' rows follow. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Duplex } from "node:stream";
import { DonjonError } from "@donjon/core/errors";
import { KEEP_ID } from "@donjon/protocol/agent/keep-record";
import type { KeepState } from "@donjon/protocol/gate/gate";
import { askWarden, openWarden } from "../warden/call.ts";
import { type Assignment, parseNews, type WardenReport } from "../warden/control.ts";
import { endWarden } from "../warden/end.ts";
import { describeKeepFolder, type KeepFolder, type KeepOrder, readEnd } from "../warden/folder.ts";
import { startWarden, type WardenCommand } from "../warden/start.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { Slots } from "./slots.ts";
import type { KeepStore } from "./state/keep-store.ts";

export interface KeepHostOptions {
  readonly store: KeepStore;
  /** Where the Keeps' folders are. */
  readonly directory: string;
  readonly wardenCommand: WardenCommand;
  readonly metrics: Metrics;
  readonly log: Log;
  /** A pooled Keep ended before anybody wanted it. */
  readonly onPooledGone: (id: string) => void;
}

/** A start is processor time: more at once only make each one later. */
const STARTS_PER_PROCESSOR = 2;
export class KeepHost {
  readonly #options: KeepHostOptions;
  readonly #starts = new Slots(STARTS_PER_PROCESSOR * availableParallelism());
  readonly #watches = new Map<string, Socket>();
  readonly #removals = new Map<string, Promise<void>>();
  #closed = false;

  constructor(options: KeepHostOptions) {
    this.#options = options;
  }

  newId(): string {
    return randomBytes(8).toString("hex");
  }

  /** Resolves when the Keep answers; rejects with `keep/start`, with the console's last line, or the backend's error. */
  async start(id: string, order: KeepOrder): Promise<void> {
    const folder = this.#folder(id);
    try {
      await this.#starts.run(() => startWarden(this.#options.wardenCommand, folder, order));
    } catch (error) {
      if (!(error instanceof DonjonError) || error.code !== "keep/start") throw error;
      const said = this.readConsole(id).at(-1);
      const message =
        said === undefined ? error.message : `${error.message}; its last line: ${said}`;
      throw new DonjonError("keep/start", message, { cause: error });
    }
  }

  /** Gives a Keep its sockets and limits, and watches it from then on. */
  async assign(id: string, assignment: Assignment): Promise<WardenReport> {
    const { socket, report } = await openWarden(this.#folder(id), { do: "assign", assignment });
    this.#watch(id, socket);
    return report!;
  }

  /** Watches a Keep that runs already. Rejects with `keep/lost`. */
  async watch(id: string): Promise<void> {
    const { socket } = await openWarden(this.#folder(id), { do: "watch" });
    this.#watch(id, socket);
  }

  async inspect(id: string): Promise<WardenReport> {
    return (await askWarden(this.#folder(id), { do: "inspect" }))!;
  }

  /** `null`: it did not say in time. */
  async askHealth(id: string, limitMs: number): Promise<KeepState | null> {
    const { promise, resolve } = Promise.withResolvers<KeepState | null>();
    const timer = setTimeout(() => resolve(null), limitMs);
    this.inspect(id).then(
      ({ health }) => resolve(health),
      () => resolve(null),
    );
    const health = await promise;
    clearTimeout(timer);
    return health;
  }

  async openSession(id: string, bare: boolean): Promise<Duplex> {
    const { socket } = await openWarden(this.#folder(id), { do: bare ? "bare" : "session" });
    return socket;
  }

  readConsole(id: string): readonly string[] {
    try {
      return readFileSync(this.#folder(id).console, "utf8").split("\n").slice(0, -1);
    } catch {
      return [];
    }
  }

  /** Ends a running Keep; its row says how when this resolves. */
  async stop(id: string): Promise<void> {
    await endWarden(this.#folder(id));
    this.settle(id, "stopped");
  }

  /** Ends whatever there is of a Keep and removes every trace of it. Called again, it waits for the same end. */
  remove(id: string): Promise<void> {
    const known = this.#removals.get(id);
    if (known !== undefined) return known;
    const removal = this.#remove(id).finally(() => this.#removals.delete(id));
    this.#removals.set(id, removal);
    return removal;
  }

  async #remove(id: string): Promise<void> {
    const { store } = this.#options;
    // First of all: whoever starts after a crash goes on with it.
    if (store.get(id) !== null) store.update(id, { state: "removing" });
    const folder = this.#folder(id);
    await endWarden(folder);
    this.#watches.get(id)?.destroy();
    await rm(folder.path, { recursive: true, force: true, maxRetries: 5 });
    store.delete(id);
  }

  /** Folders of Keeps, known or not. */
  async listFolders(): Promise<readonly string[]> {
    return (await readdir(this.#options.directory)).filter((name) => KEEP_ID.test(name));
  }

  /**
   * A Keep is gone: its row says `ended` and how, or `lost` when nobody says it. `asked`: this agent ended it, so it is not
   * lost when its warden could not say so.
   */
  settle(id: string, asked: "stopped" | null = null): void {
    const { store, metrics, log, onPooledGone } = this.#options;
    const keep = store.get(id);
    if (keep?.state === "pooled") onPooledGone(id);
    if (keep?.state !== "running") return;
    const said = readEnd(this.#folder(id));
    const end =
      said ??
      (asked === null
        ? null
        : { reason: asked, detail: "its warden did not answer and was ended", at: Date.now() });
    store.update(id, { state: end === null ? "lost" : "ended", end });
    if (end !== null)
      log("info", "Keep ended", { keep: id, reason: end.reason, detail: end.detail });
    else {
      metrics.count("donjon_keeps_lost_total");
      log("error", "Keep lost", { keep: id });
      // What is left of it must not go on unseen.
      endWarden(this.#folder(id)).catch(() => {});
    }
  }

  /** The row has just been said to run: if the Keep ended while it was not, the row is made right. */
  confirm(id: string): void {
    if (!this.#watches.has(id)) this.settle(id);
  }

  /** Lets go of all Keeps; they go on. */
  close(): void {
    this.#closed = true;
    for (const socket of this.#watches.values()) socket.destroy();
  }

  #watch(id: string, socket: Socket): void {
    const before = this.#watches.get(id);
    this.#watches.set(id, socket);
    before?.destroy();
    createInterface({ input: socket }).on("line", (line) => this.#note(id, line));
    socket.on("close", () => {
      if (this.#watches.get(id) !== socket) return;
      this.#watches.delete(id);
      if (!this.#closed) this.settle(id);
    });
    // It ended while the answer was read.
    if (socket.closed) socket.emit("close");
  }

  /** A warden's news. */
  #note(id: string, line: string): void {
    const news = parseNews(line);
    if (news === null) return;
    const { target, addresses, reason } = news.refused;
    const { metrics, log } = this.#options;
    metrics.count("donjon_refusals_total", { reason: `connect/${reason}` });
    log("warn", "connection refused", { keep: id, target, addresses: addresses.join(" "), reason });
  }

  #folder(id: string): KeepFolder {
    return describeKeepFolder(join(this.#options.directory, id));
  }
}
