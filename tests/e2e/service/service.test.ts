/**
 * A service in a process Keep, as its clients see it over loopback: evidence in the certificate that the Keep made, and
 * fresh evidence where the owner gave a certificate of an authority. Verified with the real verifier and simulated roots.
 */
import assert from "node:assert/strict";
import { createHash, createPublicKey, randomBytes, verify } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import { after, test } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { encodeCmwCbor, readCmwExtension } from "@donjon/attest/envelope";
import { type ExpectedBinding, verifyStatement } from "@donjon/client/attested/statement";
import { parseCertificate } from "@donjon/core/x509";
import { createProcessBackend } from "@donjon/host/backend/process";
import { createSimulatedCarrier } from "@donjon/testkit/contract/carrier";
import { createCertificate } from "@donjon/testkit/contract/certificate";
import { type KeepUnderTest, sha256Hex, startKeep } from "@donjon/testkit/contract/keep-fixture";

const ROOT = join(import.meta.dirname, "../../..");
const EXAMPLE = join(ROOT, "examples/signing-service");
const runtime = join(ROOT, "packages/keep/dist/keep.cjs");
if (!existsSync(runtime)) throw new Error(`'${runtime}' is not there; run 'npm run build'`);

const backend = createProcessBackend({ engine: process.execPath, runtime });
const carrier = await createSimulatedCarrier();
after(() => carrier[Symbol.dispose]());

const SEED = randomBytes(32).toString("hex");
const GIVEN = `certificate = "tls-cert"\nkey = "tls-key"\n`;
const GIVEN_SECRETS = `[[secrets]]\nname = "tls-cert"\n[[secrets]]\nname = "tls-key"\n`;

interface Pair {
  readonly certificate: string;
  readonly key: string;
}

interface Service extends AsyncDisposable {
  readonly port: number;
  readonly manifest: string;
  readonly workload: string;
  verify(cmw: Uint8Array, expected: ExpectedBinding): ReturnType<typeof verifyStatement>;
}

/** Deploys the example as its owner does; `given`: with a certificate of an authority. */
async function startService(given: Pair | null): Promise<Service> {
  const under = startKeep(backend, carrier);
  try {
    return await deploy(under, given);
  } catch (error) {
    await under[Symbol.asyncDispose]();
    throw error;
  }
}

async function deploy(under: KeepUnderTest, given: Pair | null): Promise<Service> {
  const workload = await readFile(join(EXAMPLE, "signing-service.wasm"));
  const toml = (await readFile(join(EXAMPLE, "donjon.toml"), "utf8"))
    .replace("[workload]", `[workload]\nsha256 = "${sha256Hex(workload)}"`)
    .replace("attestation = true\n", `attestation = true\n${given === null ? "" : GIVEN}`)
    .concat(given === null ? "" : GIVEN_SECRETS);
  const manifest = Buffer.from(toml);
  const text = (value: string) => new TextEncoder().encode(value);
  const secrets = new Map([["SIGNING_KEY", text(SEED)]]);
  if (given !== null) {
    secrets.set("tls-cert", text(given.certificate)).set("tls-key", text(given.key));
  }
  const listening = await under.gate.listen({ name: "https", address: "127.0.0.1", port: 0 });
  const session = await under.open();
  const run = session.provision({ manifest, workload, secrets, trees: [] });
  // It is killed in the end.
  run.result.catch(() => {});
  await run.started;
  await once(run.stdout, "data");
  const checker = await carrier.createVerifier(under.keep);
  return {
    port: listening.port,
    manifest: sha256Hex(manifest),
    workload: sha256Hex(workload),
    verify: (cmw, expected) => verifyStatement(cmw, expected, checker),
    [Symbol.asyncDispose]: () => under[Symbol.asyncDispose](),
  };
}

interface Peer {
  /** SHA-256 of the SubjectPublicKeyInfo that the service proved to hold the key of. */
  readonly key: Uint8Array;
  readonly raw: Uint8Array;
}

async function readPeer(port: number): Promise<Peer> {
  const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const peer = describePeer(socket);
  socket.destroy();
  return peer;
}

function describePeer(socket: TLSSocket): Peer {
  const { raw, publicKey } = socket.getPeerX509Certificate()!;
  const spki = publicKey.export({ type: "spki", format: "der" });
  return { key: createHash("sha256").update(spki).digest(), raw: new Uint8Array(raw) };
}

function readCertificateEvidence({ raw }: Peer): Uint8Array {
  const cmw = readCmwExtension(parseCertificate(raw));
  assert.ok(cmw !== undefined, "the certificate has evidence");
  return encodeCmwCbor(cmw);
}

interface Reply {
  readonly status: number | undefined;
  readonly body: Buffer;
  readonly peer: Peer;
}

async function call(port: number, path: string, body?: string): Promise<Reply> {
  const options = { host: "127.0.0.1", port, path, rejectUnauthorized: false, agent: false };
  const asked = request({ ...options, method: body === undefined ? "GET" : "POST" });
  asked.end(body);
  const [response] = await once(asked, "response");
  const peer = describePeer(response.socket);
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece);
  return { status: response.statusCode, body: Buffer.concat(pieces), peer };
}

const attestationPath = (nonce: Uint8Array) =>
  `/.well-known/donjon/attestation?nonce=${Buffer.from(nonce).toString("hex")}`;

test("a client reads evidence from the certificate and knows which Keep, workload, manifest and owner it talks to", async () => {
  await using service = await startService(null);
  const peer = await readPeer(service.port);
  const cmw = readCertificateEvidence(peer);
  const statement = await service.verify(cmw, { nonce: null, exporter: null, key: peer.key });
  assert.equal(statement.appraisal.verdict, "accepted");
  assert.equal(statement.workload, service.workload);
  assert.equal(statement.manifest, service.manifest);
  assert.equal(statement.owner, Buffer.from(carrier.identity.digest).toString("hex"));
});

test("the service that was verified signs with its secret", async () => {
  await using service = await startService(null);
  const hex = (await call(service.port, "/key")).body.toString().trim();
  const x = Buffer.from(hex, "hex").toString("base64url");
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  const { status, body } = await call(service.port, "/sign", "The gate was closed at nine.");
  assert.equal(status, 200);
  const signature = Buffer.from(body.toString().trim(), "hex");
  assert.ok(verify(null, Buffer.from("The gate was closed at nine."), key, signature));
});

test("evidence of the certificate is refused once any octet of it is another", async () => {
  await using service = await startService(null);
  const peer = await readPeer(service.port);
  const cmw = readCertificateEvidence(peer);
  const expected = { nonce: null, exporter: null, key: peer.key };
  await service.verify(cmw, expected);
  for (const at of cmw.keys()) {
    const changed = cmw.slice();
    // The top bit: the white space around a quote's PEM chain is as good as any other white space.
    changed[at]! ^= 0x80;
    await assert.rejects(service.verify(changed, expected), (error: { code?: string }) => {
      assert.match(error.code ?? "", /^evidence\/(malformed|refused)$/, `octet ${at}: ${error}`);
      return true;
    });
  }
});

test("evidence of one service is refused for another one's key", async () => {
  await using service = await startService(null);
  await using other = await startService(null);
  const cmw = readCertificateEvidence(await readPeer(service.port));
  const { key } = await readPeer(other.port);
  await assert.rejects(service.verify(cmw, { nonce: null, exporter: null, key }), {
    code: "evidence/refused",
    reason: "session/binding",
  });
});

test("a service with a certificate of an authority proves itself at its well-known address, for one nonce and one key", async () => {
  await using service = await startService(createCertificate("api.example"));
  const nonce = randomBytes(32);
  const { status, body, peer } = await call(service.port, attestationPath(nonce));
  assert.equal(status, 200);
  assert.equal(readCmwExtension(parseCertificate(peer.raw)), undefined);
  const cmw = new Uint8Array(body);
  const expected = { nonce, exporter: null, key: peer.key };
  const statement = await service.verify(cmw, expected);
  assert.equal(statement.workload, service.workload);
  assert.equal(statement.manifest, service.manifest);
  const wrong: ExpectedBinding[] = [
    { ...expected, nonce: randomBytes(32) },
    { ...expected, nonce: null },
    { ...expected, key: randomBytes(32) },
  ];
  for (const each of wrong) {
    await assert.rejects(service.verify(cmw, each), { reason: "session/binding" });
  }
  assert.equal((await call(service.port, "/key")).status, 200);
  assert.equal((await call(service.port, "/.well-known/donjon/other")).status, 404);
});

/** Sends each octet in a TLS record of its own, and gives all that comes back. */
async function callInOctets(port: number, text: string): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
  socket.setNoDelay(true);
  await once(socket, "secureConnect");
  for (const octet of text) socket.write(octet);
  let answer = "";
  for await (const piece of socket) answer += (piece as Buffer).toString("latin1");
  return answer;
}

test("requests that come octet by octet go where they belong: to the Keep or, whole, to the program", async () => {
  await using service = await startService(null);
  const asked = `GET ${attestationPath(randomBytes(32))} HTTP/1.1\r\nHost: x\r\n\r\n`;
  assert.match(await callInOctets(service.port, asked), /^HTTP\/1\.1 200 OK\r\n.*cmw\+cbor/);
  const pipelined = `${asked}GET /key HTTP/1.1\r\n\r\n`;
  const answers = await callInOctets(service.port, pipelined);
  assert.equal(answers.split("HTTP/1.1 ").length, 2);
  const statement = "x".repeat(2000);
  const request = `POST /sign HTTP/1.1\r\nContent-Length: ${statement.length}\r\n\r\n${statement}`;
  const signed = (await callInOctets(service.port, request)).split("\r\n\r\n")[1];
  assert.equal(signed, `${(await call(service.port, "/sign", statement)).body}`);
  const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  assert.match(await callInOctets(service.port, preface), /^HTTP\/1\.1 404 /);
});

test("a key that does not belong to the certificate ends the deployment with a sentence", async () => {
  const certificate = createCertificate("api.example").certificate;
  const key = createCertificate("api.example").key;
  await assert.rejects(startService({ certificate, key }), {
    code: "manifest/value",
    message:
      /the certificate in "tls-cert" \(CN=api\.example\) is for another key than the one in "tls-key"/,
  });
});
