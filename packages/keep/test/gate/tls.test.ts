import assert from "node:assert/strict";
import { type Duplex, duplexPair } from "node:stream";
import { test } from "node:test";
import { connectTls, createTlsAcceptor, createTlsContext } from "../../src/gate/tls.ts";
import { createIdentity, type KeepIdentity } from "../../src/identity/identity.ts";

const contextOf = ({ certificatePem, keyPem }: KeepIdentity, ca?: string) =>
  createTlsContext({ cert: certificatePem, key: keyPem, ...(ca === undefined ? {} : { ca }) });

function accept(stream: Duplex, identity: KeepIdentity): Promise<Duplex> {
  return new Promise((resolve) => createTlsAcceptor()(stream, contextOf(identity), resolve));
}

function connect(stream: Duplex, host: string, ca?: string): Promise<Duplex> {
  return connectTls(stream, host, contextOf(createIdentity(Date.now()), ca), Date.now);
}

test("two TLS sides reach each other over streams when the root is trusted and the name is right", async () => {
  const identity = createIdentity(Date.now());
  const [server, client] = duplexPair();
  const [accepted, connected] = await Promise.all([
    accept(server, identity),
    connect(client, "localhost", identity.certificatePem),
  ]);
  accepted.pipe(accepted);
  connected.end("echo");
  let text = "";
  for await (const chunk of connected) text += chunk;
  assert.equal(text, "echo");
});

test("a connection is refused when the certificate is for another name", async () => {
  const identity = createIdentity(Date.now());
  const [server, client] = duplexPair();
  void accept(server, identity);
  await assert.rejects(connect(client, "example.org", identity.certificatePem), {
    code: "gate/refused",
    message: /example\.org.*altnames/i,
  });
});

test("a connection is refused when the other side closes instead of greeting", async () => {
  const [server, client] = duplexPair();
  server.end();
  server.resume();
  await assert.rejects(connect(client, "localhost"), { code: "gate/refused" });
});

test("bytes that are no handshake end the stream and call nobody", async () => {
  const [server, client] = duplexPair();
  let called = false;
  createTlsAcceptor()(server, contextOf(createIdentity(Date.now())), () => {
    called = true;
  });
  client.write("GET / HTTP/1.1\r\n\r\n");
  client.resume();
  await new Promise((resolve) => server.once("close", resolve));
  assert.equal(called, false);
});

test("a certificate that ended before the Keep's time is refused, although the host's clock still likes it", async () => {
  const identity = createIdentity(Date.now());
  const [server, client] = duplexPair();
  void accept(server, identity);
  const inTwoYears = () => Date.now() + 2 * 365 * 86_400_000;
  const context = contextOf(createIdentity(Date.now()), identity.certificatePem);
  await assert.rejects(connectTls(client, "localhost", context, inTwoYears), {
    code: "gate/refused",
    message: /no longer valid/,
  });
});
