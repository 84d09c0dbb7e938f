/** Sessions through the agent: raw bytes between a caller and a Keep's warden, never looked into. */
import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { DonjonError } from "@donjon/core/errors";
import { PROBLEM_TYPE, SESSION_UPGRADE } from "@donjon/protocol/agent/problem";
import { splice } from "../../gate/splice.ts";
import type { Caller } from "../caller.ts";
import { authenticate, type Door } from "./authenticate.ts";
import type { AgentContext } from "./context.ts";
import { createProblem } from "./problem.ts";

const PATH = /^\/v1\/keeps\/([0-9a-z-]{1,63})\/session(\?bare=1)?$/;

/** Whether a request asks to switch to a session; all else is answered as an ordinary request. */
export function wantsSession({ url = "", method, headers }: IncomingMessage): boolean {
  const wants = headers.upgrade?.toLowerCase() === SESSION_UPGRADE;
  return wants && method === "GET" && PATH.test(url);
}

export class Tunnels {
  /** Open sessions by caller. */
  readonly #open = new Map<string, number>();
  readonly #streams = new Set<Duplex>();
  readonly #closed = new Set<Promise<void>>();

  get size(): number {
    return this.#streams.size;
  }

  async answer(
    agent: AgentContext,
    door: Door,
    request: IncomingMessage,
    socket: Socket,
    head: Uint8Array,
  ): Promise<void> {
    const requestId = randomBytes(8).toString("hex");
    const { metrics, log } = agent;
    const started = performance.now();
    const note = (status: number, caller: Caller | null) => {
      const seconds = (performance.now() - started) / 1000;
      metrics.observe("GET /v1/keeps/{keep}/session", status, seconds);
      const path = request.url!.split("?", 1)[0]!;
      log("info", "request", {
        request: requestId,
        method: "GET",
        path,
        status,
        ms: Math.round(seconds * 1000),
        caller: caller?.name ?? null,
      });
    };
    socket.on("error", () => {});
    let caller: Caller | null = null;
    try {
      caller = authenticate(
        agent.authentication,
        door,
        request.socket,
        request.headers.authorization,
      );
      const stream = await this.#openStream(agent, caller, request.url!);
      if (socket.destroyed) {
        stream.destroy();
        this.#release(caller);
        return;
      }
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${SESSION_UPGRADE}\r\nX-Request-Id: ${requestId}\r\n\r\n`,
      );
      if (head.length > 0) socket.unshift(head);
      this.#join(agent, caller, socket, stream);
      note(101, caller);
    } catch (error) {
      const problem = createProblem(error, requestId);
      metrics.count("donjon_refusals_total", { reason: problem.code });
      if (problem.code === "internal")
        log("error", "request failed", { request: requestId, reason: String(error) });
      const body = JSON.stringify(problem);
      socket.end(
        `HTTP/1.1 ${problem.status} ${problem.title}\r\nConnection: close\r\nContent-Type: ${PROBLEM_TYPE}\r\nX-Request-Id: ${requestId}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
      note(problem.status, caller);
    }
  }

  /** Resolves when all sessions are over; those that are not after `limitMs` are cut. */
  async drain(limitMs: number): Promise<void> {
    const cut = setTimeout(() => {
      for (const stream of this.#streams) stream.destroy();
    }, limitMs);
    await Promise.all(this.#closed);
    clearTimeout(cut);
  }

  async #openStream({ keeps }: AgentContext, caller: Caller, url: string): Promise<Duplex> {
    const [, keep = "", bare] = PATH.exec(url) ?? [];
    const { maxSessions } = caller.limits;
    const open = this.#open.get(caller.name) ?? 0;
    if (maxSessions !== null && open >= maxSessions) {
      throw new DonjonError(
        "agent/limit",
        `${caller.name} has ${open} sessions open and may have ${maxSessions}; end one first`,
      );
    }
    this.#open.set(caller.name, open + 1);
    try {
      return await keeps.openSession(caller, keep, bare !== undefined);
    } catch (error) {
      this.#release(caller);
      throw error;
    }
  }

  #join({ metrics }: AgentContext, caller: Caller, socket: Socket, stream: Duplex): void {
    this.#streams.add(stream);
    const count = (direction: string) => (chunk: Uint8Array) =>
      metrics.count("donjon_tunnel_bytes_total", { direction }, chunk.length);
    socket.on("data", count("to-keep"));
    stream.on("data", count("from-keep"));
    const closed = splice(socket, stream).then(() => {
      this.#streams.delete(stream);
      this.#closed.delete(closed);
      this.#release(caller);
    });
    this.#closed.add(closed);
  }

  #release({ name }: Caller): void {
    const left = (this.#open.get(name) ?? 1) - 1;
    if (left === 0) this.#open.delete(name);
    else this.#open.set(name, left);
  }
}
