/** The agent's API as an OpenAPI 3.1 document, served at /openapi.json; tests hold every request and answer against it. */
import { schemas } from "./schemas.ts";

type Json = { readonly [key: string]: unknown };

const ref = (name: keyof typeof schemas): Json => ({ $ref: `#/components/schemas/${name}` });
const json = (name: keyof typeof schemas): Json => ({
  content: { "application/json": { schema: ref(name) } },
});

/** Statuses that any call may have, besides what it says. */
const COMMON = [500];
/** Of calls for which the agent wants to know who calls. */
const KNOWN = [401, ...COMMON];

/** For calls that anybody may make. */
const OPEN: Json = { security: [] };

function operation(
  operationId: string,
  summary: string,
  ok: Json,
  more: { readonly refusals?: readonly number[]; readonly rest?: Json } = {},
): Json {
  const common = more.rest === OPEN ? COMMON : KNOWN;
  const refusals = [...common, ...(more.refusals ?? [])].map((status) => [
    String(status),
    { $ref: "#/components/responses/problem" },
  ]);
  const responses = { ...ok, ...Object.fromEntries(refusals) };
  return { operationId, summary, ...more.rest, responses };
}

const KEEP: Json = {
  parameters: [
    {
      name: "keep",
      in: "path",
      required: true,
      description:
        "An id, a name, or the beginning of an id that no other of the caller's Keeps has.",
      schema: { type: "string", pattern: "^[0-9a-z-]{1,63}$" },
    },
  ],
};

export const OPENAPI = {
  openapi: "3.1.0",
  info: {
    title: "Donjon agent",
    version: "1",
    description:
      "Starts Keeps on a host and carries sessions to them. Nothing that it says is evidence: a client proves a Keep inside the session. A method that a path does not have is answered by 405 with 'Allow' and a problem. What is no HTTP, comes too slowly or has too long a head is answered by 400, 408 or 431 without a body.",
    license: { name: "Apache-2.0", identifier: "Apache-2.0" },
  },
  security: [{ token: [] }, { certificate: [] }, { socket: [] }],
  paths: {
    "/v1/keeps": {
      get: operation("listKeeps", "The caller's Keeps, everybody's for an operator.", {
        "200": { description: "In the order they were made.", ...json("KeepList") },
      }),
      post: operation(
        "createKeep",
        "Starts a Keep and waits until it answers.",
        { "201": { description: "It runs.", ...json("Keep") } },
        {
          refusals: [400, 403, 409, 410, 413, 422, 429],
          rest: { requestBody: { required: true, ...json("KeepRequest") } },
        },
      ),
    },
    "/v1/keeps/{keep}": {
      ...KEEP,
      get: operation(
        "getKeep",
        "One Keep.",
        { "200": { description: "As it is now.", ...json("Keep") } },
        { refusals: [404, 409] },
      ),
      delete: operation(
        "removeKeep",
        "Ends a Keep and removes every trace of it.",
        { "204": { description: "It is gone." } },
        { refusals: [404, 409] },
      ),
    },
    "/v1/keeps/{keep}/stop": {
      ...KEEP,
      post: operation(
        "stopKeep",
        "Ends a Keep; its record stays.",
        { "200": { description: "How it ended.", ...json("Keep") } },
        { refusals: [404, 409] },
      ),
    },
    "/v1/keeps/{keep}/console": {
      ...KEEP,
      get: operation(
        "readConsole",
        "Lines of the Keep's own runtime, never of the workload.",
        { "200": { description: "The first mebibyte.", ...json("Console") } },
        { refusals: [404, 409] },
      ),
    },
    "/v1/keeps/{keep}/session": {
      ...KEEP,
      get: operation(
        "openSession",
        "Switches to raw bytes to and from the Keep's session.",
        { "101": { description: "Upgrade: donjon-session" } },
        {
          refusals: [404, 409, 410, 422, 426, 429],
          rest: {
            parameters: [
              {
                name: "Upgrade",
                in: "header",
                required: true,
                schema: { const: "donjon-session" },
              },
              {
                name: "bare",
                in: "query",
                description:
                  "A session without TLS and evidence; a Keep that hardware protects has none.",
                schema: { const: "1" },
              },
            ],
          },
        },
      ),
    },
    "/v1/platform": {
      get: operation("getPlatform", "What this machine can start.", {
        "200": { description: "Each kind of Keep.", ...json("Platform") },
      }),
    },
    "/v1/simulated-trust": {
      get: operation(
        "getSimulatedTrust",
        "Public roots of the simulated security processor. They prove nothing; for Keeps without protection only.",
        {
          "200": {
            description: "For parseTrust of @donjon/attest.",
            content: { "application/json": { schema: { type: "object" } } },
          },
        },
      ),
    },
    "/healthz": {
      get: operation("getHealth", "Whether the agent answers.", describeText("It does."), {
        rest: OPEN,
      }),
    },
    "/readyz": {
      get: operation(
        "getReadiness",
        "Whether the agent takes new work.",
        { ...describeText("It does."), ...describeText("It starts or stops.", 503) },
        { rest: OPEN },
      ),
    },
    "/metrics": {
      get: operation(
        "getMetrics",
        "Prometheus text; operators only.",
        describeText("All metrics."),
        {
          refusals: [403],
        },
      ),
    },
    "/openapi.json": {
      get: operation(
        "getDescription",
        "This document.",
        {
          "200": {
            description: "OpenAPI 3.1.",
            content: { "application/json": { schema: { type: "object" } } },
          },
        },
        { rest: OPEN },
      ),
    },
  },
  components: {
    schemas,
    responses: {
      problem: {
        description: "Why not (RFC 9457).",
        content: { "application/problem+json": { schema: ref("Problem") } },
      },
    },
    securitySchemes: {
      token: { type: "http", scheme: "bearer" },
      certificate: { type: "mutualTLS" },
      socket: {
        type: "apiKey",
        in: "header",
        name: "none",
        description: "On the unix socket no token is needed: only its owner can open it.",
      },
    },
  },
} as const;

function describeText(description: string, status = 200): Json {
  return { [status]: { description, content: { "text/plain": { schema: { type: "string" } } } } };
}
