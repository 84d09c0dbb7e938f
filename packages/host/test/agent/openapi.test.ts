import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import { DonjonError } from "@donjon/core/errors";
import { parseKeepRequest } from "@donjon/protocol/agent/keep-record";
import fc from "fast-check";
import { OPENAPI } from "../../src/agent/http/openapi.ts";
import { checkSchema } from "./json-schema.ts";
import { startAgent } from "./support.ts";

type Json = Record<string, unknown>;

function resolve(ref: string): Json {
  const parts = ref.replace(/^#\//, "").split("/");
  return parts.reduce<unknown>((node, part) => (node as Json)[part], OPENAPI) as Json;
}

const REQUEST = resolve("#/components/schemas/KeepRequest");

function accepts(value: unknown): boolean {
  try {
    parseKeepRequest(value);
    return true;
  } catch (error) {
    assert.ok(error instanceof DonjonError && error.code === "agent/protocol", String(error));
    return false;
  }
}

const odd = fc.oneof(
  fc.constant(null),
  fc.integer({ min: -2, max: 70_000 }),
  fc.double(),
  fc.boolean(),
  fc.string({ maxLength: 80 }),
  fc.constantFrom("process", "web", "127.0.0.1", "db.example:5432", "A", "-", "x".repeat(64)),
);
const mostly = <T>(usual: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: odd });
const listener = fc.record({
  name: mostly(fc.constant("http")),
  address: mostly(fc.constant("::1")),
  port: mostly(fc.integer({ min: 0, max: 65_535 })),
});
const limit = mostly(fc.constantFrom(null, 1, 1024, 64 << 20, 2 ** 40));
/** Near enough to requests that many are well formed. */
const requests = fc.record(
  {
    backend: mostly(fc.constantFrom(null, "process", "snp")),
    name: mostly(fc.constantFrom(null, "web")),
    labels: mostly(fc.dictionary(fc.constantFrom("a", "b.c", "tier"), fc.string())),
    listeners: mostly(fc.array(listener, { maxLength: 3 })),
    connections: mostly(fc.array(fc.string({ minLength: 1 }), { maxLength: 3 })),
    limits: mostly(
      fc.record(
        { lifetimeMs: limit, memoryBytes: limit, bandwidthBytesPerS: limit },
        { requiredKeys: [] },
      ),
    ),
  },
  { requiredKeys: [] },
);
const extended = fc.tuple(requests, odd).map(([request, extra]) => ({ ...request, extra }));

test("the document and the reader take the same requests", () => {
  let accepted = 0;
  const agree = (value: unknown) => {
    const why = checkSchema(REQUEST, value, resolve);
    const read = accepts(value);
    accepted += read ? 1 : 0;
    assert.equal(read, why === null, `${JSON.stringify(value)}: ${why}`);
  };
  fc.assert(fc.property(fc.oneof({ weight: 20, arbitrary: requests }, extended, odd), agree), {
    numRuns: 2000,
  });
  assert.ok(accepted > 200, `only ${accepted} were requests`);
});

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly allow: string | undefined;
  readonly body: string;
}

function call(socketPath: string, method: string, path: string, body?: string): Promise<Answer> {
  return new Promise((done, fail) => {
    const sent = request({ socketPath, method, path, agent: false }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      answer.on("end", () =>
        done({
          status: answer.statusCode!,
          type: (answer.headers["content-type"] ?? "").split(";")[0]!,
          allow: answer.headers.allow,
          body: text,
        }),
      );
    });
    sent.on("error", fail);
    sent.end(body);
  });
}

/** Holds an answer against what the document says about the operation. */
function checkAnswer(path: string, method: string, answer: Answer): void {
  const operation = ((OPENAPI.paths as unknown as Json)[path] as Json)[method] as Json;
  const responses = operation["responses"] as Json;
  const found = responses[String(answer.status)] as Json | undefined;
  assert.ok(
    found !== undefined,
    `${method} ${path} answered ${answer.status}, which is not in the document`,
  );
  const response = typeof found["$ref"] === "string" ? resolve(found["$ref"]) : found;
  const content = response["content"] as Json | undefined;
  if (content === undefined) {
    assert.equal(answer.body, "", `${method} ${path} answered more than it says`);
    return;
  }
  const media = content[answer.type] as Json | undefined;
  assert.ok(media !== undefined, `${method} ${path} answered '${answer.type}'`);
  const value: unknown = answer.type === "text/plain" ? answer.body : JSON.parse(answer.body);
  assert.equal(
    checkSchema(media["schema"] as Json, value, resolve),
    null,
    `${method} ${path}: ${answer.body}`,
  );
}

test("every operation of the document is there and answers as it says", async (t) => {
  const { address } = await startAgent(t);
  const socket = address.slice("unix:".length);
  const made = await call(socket, "POST", "/v1/keeps", '{"name":"web"}');
  checkAnswer("/v1/keeps", "post", made);
  assert.equal(made.status, 201);
  const tried = new Set<string>();
  const order = ["get", "post", "delete"];
  for (const keep of ["web", "nobody"]) {
    for (const method of order) {
      for (const [path, item] of Object.entries(OPENAPI.paths)) {
        if (!Object.hasOwn(item, method)) continue;
        const answer = await call(
          socket,
          method.toUpperCase(),
          path.replace("{keep}", keep),
          method === "post" ? "{" : undefined,
        );
        checkAnswer(path, method, answer);
        tried.add(`${method} ${path} ${answer.status}`);
      }
    }
  }
  for (const [path, item] of Object.entries(OPENAPI.paths)) {
    const methods = order.filter((method) => Object.hasOwn(item, method));
    assert.ok(methods.length > 0, path);
  }
  for (const wanted of ["get /v1/keeps 200", "delete /v1/keeps/{keep} 204", "post /v1/keeps 400"])
    assert.ok(tried.has(wanted), `${wanted} in ${[...tried].join(", ")}`);
});

test("a method that a path does not have is answered by 405 with those that it has", async (t) => {
  const { address } = await startAgent(t);
  const socket = address.slice("unix:".length);
  for (const [pattern, item] of Object.entries(OPENAPI.paths)) {
    const known = ["get", "post", "delete"].filter((method) => Object.hasOwn(item, method));
    const allow = known.map((method) => (method === "get" ? "GET, HEAD" : method.toUpperCase()));
    for (const method of ["get", "post", "delete", "put", "patch", "options", "propfind"]) {
      if (known.includes(method)) continue;
      const path = pattern.replace("{keep}", "nobody");
      const answer = await call(socket, method.toUpperCase(), path);
      assert.deepEqual([answer.status, answer.allow], [405, allow.join(", ")], `${method} ${path}`);
      assert.equal(answer.type, "application/problem+json");
      const problem = JSON.parse(answer.body);
      assert.equal(checkSchema(resolve("#/components/schemas/Problem"), problem, resolve), null);
      assert.deepEqual([problem.status, problem.title], [405, "Method Not Allowed"]);
    }
  }
  const bodiless = await call(socket, "HEAD", "/v1/keeps/nobody/stop");
  assert.deepEqual([bodiless.status, bodiless.allow, bodiless.body], [405, "POST", ""]);
  for (const path of ["/v1/nothing", "/v1/keeps/NOBODY", "/v1/keeps/a/b", "/"]) {
    const answer = await call(socket, "PUT", path);
    assert.deepEqual([answer.status, answer.allow], [404, undefined], path);
  }
  assert.equal((await call(socket, "GET", "/v1/keeps/{keep}")).status, 404);
});
