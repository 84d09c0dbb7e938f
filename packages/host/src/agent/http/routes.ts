/** The agent's HTTP API. What it takes and answers is described in `openapi.ts`. */

import { randomBytes } from "node:crypto";
import { DonjonError } from "@donjon/core/errors";
import { parseKeepRequest } from "@donjon/protocol/agent/keep-record";
import { MAX_REQUEST_BYTES } from "@donjon/protocol/agent/limits";
import { PROBLEM_TYPE } from "@donjon/protocol/agent/problem";
import type { HttpBindings } from "@hono/node-server";
import { type Context, Hono } from "hono";
import type { Caller } from "../caller.ts";
import { authenticate, type Door } from "./authenticate.ts";
import type { AgentContext } from "./context.ts";
import { OPENAPI } from "./openapi.ts";
import { createProblem } from "./problem.ts";
import { readBody } from "./read-body.ts";

/** `caller`: `null` on the routes that ask for none. */
interface Variables {
  readonly requestId: string;
  caller: Caller | null;
}
export interface AgentBindings extends HttpBindings {
  readonly door: Door;
}
type AgentHono = Hono<{ Bindings: AgentBindings; Variables: Variables }>;
type AgentCall = Context<{ Bindings: AgentBindings; Variables: Variables }>;

/** What a Keep may be called in a path. */
const KEEP = "/v1/keeps/:keep{[0-9a-z-]{1,63}}";

export function createRoutes(agent: AgentContext): AgentHono {
  const app: AgentHono = new Hono();
  app.use(async (call, next) => {
    call.set("requestId", randomBytes(8).toString("hex"));
    call.set("caller", null);
    const started = performance.now();
    await next();
    record(agent, call, (performance.now() - started) / 1000);
  });
  app.onError((error, call) => answerProblem(agent, call, error));
  app.notFound((call) => {
    const methods = methodsOf(call.req.path);
    if (methods.length > 0 && !methods.includes(call.req.method))
      return answerWrongMethod(agent, call, methods);
    const nothing = new DonjonError("agent/not-found", "there is nothing at this path");
    return answerProblem(agent, call, nothing);
  });
  addOpenRoutes(app, agent);
  app.use("/v1/*", async (call, next) => {
    call.set("caller", identify(agent, call));
    await next();
  });
  app.use("/metrics", async (call, next) => {
    const caller = identify(agent, call);
    call.set("caller", caller);
    if (caller.role !== "operator")
      throw new DonjonError("agent/forbidden", "only an operator may read the metrics");
    await next();
  });
  addKeepRoutes(app, agent);
  addHostRoutes(app, agent);
  return app;
}

function addOpenRoutes(app: AgentHono, agent: AgentContext): void {
  app.get("/healthz", (call) => call.text("ok\n"));
  app.get("/readyz", (call) =>
    agent.isReady() ? call.text("ready\n") : call.text("not ready\n", 503),
  );
  app.get("/openapi.json", (call) => call.json(OPENAPI));
}

function addKeepRoutes(app: AgentHono, { keeps }: AgentContext): void {
  app.post("/v1/keeps", async (call) => {
    const body = await readBody(call.env.incoming, MAX_REQUEST_BYTES);
    const request = parseKeepRequest(parseJson(body));
    return call.json(await keeps.create(callerOf(call), request), 201);
  });
  app.get("/v1/keeps", async (call) => call.json({ keeps: await keeps.list(callerOf(call)) }));
  app.get(KEEP, async (call) => call.json(await keeps.get(callerOf(call), call.req.param("keep"))));
  app.delete(KEEP, async (call) => {
    await keeps.remove(callerOf(call), call.req.param("keep"));
    return call.body(null, 204);
  });
  app.post(`${KEEP}/stop`, async (call) =>
    call.json(await keeps.stop(callerOf(call), call.req.param("keep"))),
  );
  app.get(`${KEEP}/console`, (call) =>
    call.json({ lines: keeps.readConsole(callerOf(call), call.req.param("keep")) }),
  );
  // A request that asks for the upgrade never comes here: `tunnels.ts`.
  app.get(`${KEEP}/session`, (call) =>
    call.json(
      {
        type: "about:blank",
        title: "Upgrade Required",
        status: 426,
        detail:
          "a session needs 'Connection: Upgrade' and 'Upgrade: donjon-session', and takes no query but '?bare=1'",
        code: "agent/protocol",
      },
      426,
      { "content-type": PROBLEM_TYPE, upgrade: "donjon-session" },
    ),
  );
}

function addHostRoutes(app: AgentHono, agent: AgentContext): void {
  app.get("/v1/platform", async (call) => call.json(await agent.platform()));
  app.get("/v1/simulated-trust", async (call) =>
    call.body(await agent.readTrust(), 200, { "content-type": "application/json" }),
  );
  app.get("/metrics", (call) => {
    const keeps = [...agent.keeps.count()].map(([key, value]) => {
      const [state = "", backend = ""] = key.split(" ");
      return { labels: { state, backend }, value };
    });
    const text = agent.metrics.format(keeps, agent.tunnels.size);
    return call.body(text, 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
  });
}

function identify(agent: AgentContext, call: AgentCall): Caller {
  const { door, incoming } = call.env;
  const authorization = call.req.header("authorization");
  return authenticate(agent.authentication, door, incoming.socket, authorization);
}

function callerOf(call: AgentCall): Caller {
  const caller = call.get("caller");
  if (caller === null) throw new TypeError("this route asks for a caller");
  return caller;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new DonjonError("agent/protocol", "the request's body is not JSON");
  }
}

/** RFC 9110, section 15.5.6. */
function answerWrongMethod(
  agent: AgentContext,
  call: AgentCall,
  methods: readonly string[],
): Response {
  const allow = methods.join(", ");
  const detail = `nothing at this path is called with ${call.req.method}; it takes ${allow}`;
  call.header("allow", allow);
  return answerProblem(agent, call, new DonjonError("agent/protocol", detail), 405);
}

/** `status`: when the error's code does not say it. */
function answerProblem(
  { metrics, log }: AgentContext,
  call: AgentCall,
  error: unknown,
  status?: number,
): Response {
  const requestId = call.get("requestId");
  const problem = createProblem(error, requestId, status);
  metrics.count("donjon_refusals_total", { reason: problem.code });
  if (problem.code === "internal")
    log("error", "request failed", { request: requestId, reason: describeDefect(error) });
  if (problem.code === "agent/forbidden")
    log("warn", "request refused", { request: requestId, reason: problem.detail });
  return call.body(JSON.stringify(problem), problem.status as 500, {
    "content-type": PROBLEM_TYPE,
  });
}

function describeDefect(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function record({ metrics, log }: AgentContext, call: AgentCall, seconds: number): void {
  const { status } = call.res;
  call.res.headers.set("x-request-id", call.get("requestId"));
  const route = patternOf(call.req.path);
  metrics.observe(`${call.req.method} ${route}`, status, seconds);
  log("info", "request", {
    request: call.get("requestId"),
    method: call.req.method,
    path: call.req.path.slice(0, MAX_LOGGED_PATH),
    status,
    ms: Math.round(seconds * 1000),
    caller: call.get("caller")?.name ?? null,
  });
}

const MAX_LOGGED_PATH = 128;

type Pattern = keyof typeof OPENAPI.paths;

/** Callers must not choose how many series the metrics have. */
function patternOf(path: string): Pattern | "other" {
  const pattern = path.replace(/^\/v1\/keeps\/[0-9a-z-]{1,63}(?=\/|$)/, "/v1/keeps/{keep}");
  return Object.hasOwn(OPENAPI.paths, pattern) ? (pattern as Pattern) : "other";
}

/** None: there is nothing at the path. Whatever can be read is also answered without its body. */
function methodsOf(path: string): string[] {
  const pattern = patternOf(path);
  if (pattern === "other") return [];
  const item = OPENAPI.paths[pattern];
  return METHODS.filter((method) => Object.hasOwn(item, method)).flatMap((method) =>
    method === "get" ? ["GET", "HEAD"] : [method.toUpperCase()],
  );
}

/** All that the document's operations have. */
const METHODS = ["get", "post", "delete"] as const;
