import assert from "node:assert/strict";
import { type Duplex, duplexPair } from "node:stream";
import { test } from "node:test";
import { createTlsSide } from "../../src/gate/tls.ts";
import { createIdentity } from "../../src/identity/identity.ts";

function accept(stream: Duplex, identity = createIdentity(Date.now())): Promise<Duplex> {
  return new Promise((resolve) => createTlsSide(identity).accept(stream, resolve));
}

test("two TLS sides reach each other over streams when the root is trusted and the name is right", async () => {
  const identity = createIdentity(Date.now());
  const [server, client] = duplexPair();
  const connector = createTlsSide(createIdentity(Date.now()), identity.certificatePem);
  const [accepted, connected] = await Promise.all([
    accept(server, identity),
    connector.connect(client, "localhost"),
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
  const connector = createTlsSide(createIdentity(Date.now()), identity.certificatePem);
  await assert.rejects(connector.connect(client, "example.org"), {
    code: "gate/refused",
    message: /example\.org.*altnames/i,
  });
});

test("a connection is refused when the other side closes instead of greeting", async () => {
  const [server, client] = duplexPair();
  server.end();
  server.resume();
  const connector = createTlsSide(createIdentity(Date.now()));
  await assert.rejects(connector.connect(client, "localhost"), { code: "gate/refused" });
});

test("bytes that are no handshake end the stream and call nobody", async () => {
  const [server, client] = duplexPair();
  let called = false;
  createTlsSide(createIdentity(Date.now())).accept(server, () => {
    called = true;
  });
  client.write("GET / HTTP/1.1\r\n\r\n");
  client.resume();
  await new Promise((resolve) => server.once("close", resolve));
  assert.equal(called, false);
});
