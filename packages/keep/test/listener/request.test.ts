import assert from "node:assert/strict";
import { type Duplex, duplexPair } from "node:stream";
import { type TestContext, test } from "node:test";
import { ATTESTATION_REQUEST_MS, MAX_ATTESTATION_REQUEST_BYTES } from "@donjon/protocol/limits";
import fc from "fast-check";
import { ATTESTATION_PATH, awaitRequest } from "../../src/listener/request.ts";

const NONCE = "0123456789abcdef".repeat(4);
const REQUEST = `GET ${ATTESTATION_PATH}?nonce=${NONCE} HTTP/1.1\r\nHost: x\r\n\r\n`;

interface Ends {
  readonly client: Duplex;
  /** `pass`, or the query that is to be answered. */
  readonly decided: Promise<string>;
  readonly server: Duplex;
}

function open(): Ends {
  const [client, server] = duplexPair();
  const decided = new Promise<string>((resolve) =>
    awaitRequest(server, resolve, () => resolve("pass")),
  );
  return { client, decided, server };
}

/** Everything that the workload's end reads, as `ConnectionPump` does. */
function readAll(stream: Duplex): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
    });
    stream.on("end", () => resolve(text));
  });
}

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

test("a request for evidence is answered with its query and is not the workload's", async () => {
  const { client, decided } = open();
  client.write(REQUEST);
  assert.equal(await decided, `?nonce=${NONCE}`);
});

test("a request in single octets is answered at its last octet", async () => {
  const { client, decided } = open();
  let answer = "";
  decided.then((query) => {
    answer = query;
  });
  for (const octet of REQUEST.slice(0, -1)) {
    client.write(octet);
    await tick();
  }
  await tick();
  assert.equal(answer, "");
  client.write(REQUEST.slice(-1));
  assert.equal(await decided, `?nonce=${NONCE}`);
});

test("a request with others behind it, without a query, with HTTP/1.0 or with many headers is answered", async () => {
  const header = `X: ${"a".repeat(MAX_ATTESTATION_REQUEST_BYTES - REQUEST.length - 8)}\r\n`;
  const cases: [string, string][] = [
    [`${REQUEST}GET / HTTP/1.1\r\n\r\n`, `?nonce=${NONCE}`],
    [`${REQUEST}${"x".repeat(2 * MAX_ATTESTATION_REQUEST_BYTES)}`, `?nonce=${NONCE}`],
    [`GET ${ATTESTATION_PATH} HTTP/1.1\r\n\r\n`, ""],
    [`GET ${ATTESTATION_PATH}? HTTP/1.0\r\nA: b\r\n\r\n`, "?"],
    [REQUEST.replace("Host", `${header}Host`), `?nonce=${NONCE}`],
  ];
  for (const [text, query] of cases) {
    const { client, decided } = open();
    client.write(text);
    assert.equal(await decided, query);
  }
});

test("what is no request for evidence reaches the workload octet for octet", async () => {
  const others = [
    "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /.well-known/donjon/attestations HTTP/1.1\r\n\r\n",
    "GET /.well-known/donjon/attestation/ HTTP/1.1\r\n\r\n",
    "GET /.well-known/donjon/attestation#x HTTP/1.1\r\n\r\n",
    "GET  /.well-known/donjon/attestation HTTP/1.1\r\n\r\n",
    "get /.well-known/donjon/attestation HTTP/1.1\r\n\r\n",
    "HEAD /.well-known/donjon/attestation HTTP/1.1\r\n\r\n",
    "POST /.well-known/donjon/attestation HTTP/1.1\r\n\r\n",
    "GET /.well-known/donjon/attestation HTTP/2.0\r\n\r\n",
    "GET /.well-known/donjon/attestation HTTP/1.1 x\r\n\r\n",
    "GET /.well-known/donjon/attestation?a b HTTP/1.1\r\n\r\n",
    "GET /.well-known/donjon/attestation \r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
    "\x16\x03\x01\x00\xff",
    "G\x00",
  ];
  for (const text of others) {
    const { client, decided, server } = open();
    client.end(text, "latin1");
    assert.equal(await decided, "pass", text);
    assert.equal(await readAll(server), text);
  }
});

test("a head that is too large is the workload's", async () => {
  const text = `GET ${ATTESTATION_PATH} HTTP/1.1\r\nX: ${"a".repeat(MAX_ATTESTATION_REQUEST_BYTES)}\r\n\r\n`;
  const { client, decided, server } = open();
  client.end(text);
  assert.equal(await decided, "pass");
  assert.equal(await readAll(server), text);
});

test("any octets in any pieces reach the workload as they came", async () => {
  const starts = fc.constantFrom("", "G", "GET ", `GET ${ATTESTATION_PATH}`, "GET /.well");
  await fc.assert(
    fc.asyncProperty(
      starts,
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 10 }),
      async (start, pieces) => {
        // A NUL could not be part of a request line, so no request can come of it.
        const all = [
          Buffer.from(start),
          Buffer.from("\0"),
          ...pieces.map((each) => Buffer.from(each)),
        ];
        const { client, decided, server } = open();
        for (const piece of all) {
          if (piece.length > 0) client.write(piece);
          await tick();
        }
        client.end();
        assert.equal(await decided, "pass");
        assert.equal(await readAll(server), Buffer.concat(all).toString("latin1"));
      },
    ),
    { numRuns: 50 },
  );
});

test("a client that does not finish its request is the workload's when time is up", async (t: TestContext) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  for (const text of ["", "GET /.well-known/", REQUEST.slice(0, -1)]) {
    const { client, decided, server } = open();
    if (text !== "") client.write(text);
    await tick();
    t.mock.timers.tick(ATTESTATION_REQUEST_MS);
    assert.equal(await decided, "pass");
    client.end("and the rest");
    assert.equal(await readAll(server), `${text}and the rest`);
  }
});

test("a client that ends its side within the request is the workload's, with its end", async (t: TestContext) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { client, decided, server } = open();
  client.end("GET /.well");
  await tick();
  t.mock.timers.tick(ATTESTATION_REQUEST_MS);
  assert.equal(await decided, "pass");
  assert.equal(await readAll(server), "GET /.well");
});

test("a connection that goes before it is decided is nobody's", async (t: TestContext) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { client, decided, server } = open();
  client.write("GET /");
  await tick();
  server.destroy();
  await tick();
  t.mock.timers.tick(ATTESTATION_REQUEST_MS);
  await tick();
  assert.equal(await Promise.race([decided, tick().then(() => "nobody")]), "nobody");
});

test("a client that sends without end is slowed while nobody reads", async () => {
  const { client, decided, server } = open();
  const chunk = Buffer.alloc(64 << 10, "x");
  let written = 0;
  while (written < 16 << 20 && client.write(chunk)) written += chunk.length;
  assert.equal(await decided, "pass");
  assert.ok(server.readableLength <= 2 * chunk.length, `${server.readableLength} octets wait`);
});
