import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, randomBytes, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { type Duplex, duplexPair } from "node:stream";
import { type TestContext, test } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { type CmwCollection, parseCmwCbor, readCmwExtension } from "@donjon/attest/envelope";
import { parseCertificate } from "@donjon/core/x509";
import { type Binding, encodeBinding, parseBinding } from "@donjon/protocol/attestation/binding";
import { encodeEvidence } from "@donjon/protocol/attestation/evidence";
import {
  CERTIFICATE_EVIDENCE_MS,
  MAX_ATTESTATIONS_PER_SECOND,
  MAX_WAITING_ATTESTATIONS,
} from "@donjon/protocol/limits";
import type { ListenDescriptor } from "@donjon/protocol/manifest/manifest";
import { createCertificate } from "@donjon/testkit/contract/certificate";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { createIdentity } from "../../src/identity/identity.ts";
import type { AttestKey } from "../../src/listener/answer.ts";
import { createTlsListeners, type TlsListeners } from "../../src/listener/listeners.ts";

const identity = createIdentity(Date.now());
const MANIFEST = randomBytes(32);
const CMW_OID = "1.3.6.1.5.5.7.1.35";

function listener(fields: Partial<ListenDescriptor> = {}): ListenDescriptor {
  const base = { kind: "listen", name: "https", protocol: "tls", address: "::", port: 1 } as const;
  return { ...base, ...fields };
}

/** Evidence that says what it was asked for and no more: nothing here verifies it. */
function makeAttester(): { attest: AttestKey; asked: Binding[] } {
  const asked: Binding[] = [];
  const attest: AttestKey = async (nonce, key) => {
    const rest = { exporter: null, manifest: MANIFEST, workload: null, owner: null };
    asked.push({ nonce, key, ...rest });
    const evidence = Buffer.from(`evidence ${asked.length}`);
    const platform = { tee: "snp", evidence, auxiliary: new Uint8Array(0) } as const;
    return encodeEvidence(encodeBinding({ nonce, key, ...rest }), platform);
  };
  return { attest, asked };
}

/** As an SGX quote brings its chain: a reader that looks for PEM first takes it for the certificate. */
const PEM_INSIDE = createIdentity(Date.now()).certificatePem;

const attestNothing: AttestKey = () => Promise.reject(new Error("no device"));

interface Opened {
  readonly listeners: TlsListeners;
  readonly lines: readonly string[];
}

function openListeners(
  descriptors: readonly ListenDescriptor[],
  attest: AttestKey,
  secrets: Readonly<Record<string, string | Uint8Array>> = {},
): Opened {
  const lines: string[] = [];
  const values = Object.entries(secrets).map(
    ([name, value]) => [name, new Uint8Array(Buffer.from(value))] as const,
  );
  const options = { descriptors, identity, attest, secrets: new Map(values) };
  const log = (line: string) => lines.push(line);
  const listeners = createTlsListeners({ ...options, log, now: Date.now });
  // As the Keep does once the workload runs.
  for (const [, value] of values) value.fill(0);
  return { listeners, lines };
}

/** A client's end, past the handshake, and the workload's end once it has one. */
async function dial(
  { listeners }: Opened,
  to: ListenDescriptor,
): Promise<{ client: TLSSocket; workload: Promise<Duplex> }> {
  const [near, far] = duplexPair();
  const workload = new Promise<Duplex>((resolve) => listeners.accept(to, far, resolve));
  const client = connect({ socket: near, rejectUnauthorized: false });
  await new Promise((resolve, reject) => client.once("secureConnect", resolve).on("error", reject));
  return { client, workload };
}

async function readPeer(opened: Opened, to: ListenDescriptor): Promise<X509Certificate> {
  const { client } = await dial(opened, to);
  const certificate = client.getPeerX509Certificate()!;
  client.destroy();
  return certificate;
}

const spkiDigest = (certificate: X509Certificate) =>
  createHash("sha256")
    .update(certificate.publicKey.export({ type: "spki", format: "der" }))
    .digest();

function readMember(cmw: CmwCollection, label: string): Uint8Array {
  const member = cmw.members.get(label);
  assert.equal(member?.kind, "record");
  return member.value;
}

const readBinding = (cmw: CmwCollection) => parseBinding(readMember(cmw, "binding"));

function readExtension(certificate: X509Certificate): CmwCollection {
  const cmw = readCmwExtension(parseCertificate(new Uint8Array(certificate.raw)));
  assert.equal(cmw?.kind, "collection");
  return cmw;
}

test("the certificate that the Keep makes holds evidence for its own key, without nonce and exporter", async () => {
  const { attest, asked } = makeAttester();
  const to = listener({ names: ["api.example", "*.example"] });
  const certificate = await readPeer(openListeners([to], attest), to);
  const cmw = readExtension(certificate);
  assert.deepEqual([...cmw.members.keys()], ["binding", "evidence"]);
  assert.equal(Buffer.from(readMember(cmw, "evidence")).toString(), "evidence 1");
  const binding = readBinding(cmw);
  assert.deepEqual(binding, {
    ...asked[0],
    key: new Uint8Array(spkiDigest(certificate)),
    manifest: new Uint8Array(MANIFEST),
  });
  assert.deepEqual(Buffer.from(identity.digest), spkiDigest(certificate));
  assert.equal(binding.nonce, null);
  assert.equal(binding.exporter, null);
  assert.equal(certificate.subjectAltName, "DNS:localhost, DNS:api.example, DNS:*.example");
  assert.ok(certificate.verify(certificate.publicKey));
});

test("an independent reader finds the extension as RFC 9999 has it: not critical, an OCTET STRING of CBOR", async () => {
  const { attest } = makeAttester();
  const certificate = await readPeer(openListeners([listener()], attest), listener());
  const parsed = new x509.X509Certificate(certificate.raw);
  assert.ok(await parsed.verify());
  const extension = parsed.getExtension(CMW_OID);
  assert.equal(extension?.critical, false);
  const value = Buffer.from(extension!.value);
  const cmw = await attest(null, identity.digest);
  const text = (bytes: Uint8Array) =>
    Buffer.from(bytes)
      .toString("latin1")
      .replace(/evidence \d/, "");
  assert.equal(value[0], 0x04);
  assert.equal(text(value.subarray(value.length - cmw.length)), text(cmw));
  const names = parsed.getExtension(x509.SubjectAlternativeNameExtension)!.names.toJSON();
  assert.deepEqual(names, [{ type: "dns", value: "localhost" }]);
});

test("evidence that holds certificates in PEM is served whole, under the Keep's own key", async () => {
  const attest: AttestKey = async () => {
    const [evidence, auxiliary] = [Buffer.from(PEM_INSIDE), Buffer.alloc(0)];
    return encodeEvidence(Buffer.from("binding"), { tee: "sgx", evidence, auxiliary });
  };
  const { client } = await dial(openListeners([listener()], attest), listener());
  const { raw, publicKey } = client.getPeerX509Certificate()!;
  client.destroy();
  const spki = publicKey.export({ type: "spki", format: "der" });
  assert.deepEqual(createHash("sha256").update(spki).digest(), Buffer.from(identity.digest));
  assert.ok(raw.includes(PEM_INSIDE));
});

test("a Keep without evidence serves a certificate without the extension and says so on the console", async () => {
  const opened = openListeners([listener()], attestNothing);
  const certificate = await readPeer(opened, listener());
  assert.equal(parseCertificate(new Uint8Array(certificate.raw)).extensions.has(CMW_OID), false);
  assert.deepEqual(opened.lines, [
    "no new evidence for the certificate of the TLS listeners: no device",
  ]);
});

test("evidence is made anew in time, open connections go on, and evidence that fails keeps the old", async (t: TestContext) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const { attest } = makeAttester();
  let broken = false;
  const opened = openListeners([listener()], (nonce, key) =>
    broken ? attestNothing(nonce, key) : attest(nonce, key),
  );
  const evidenceNow = async () =>
    Buffer.from(
      readMember(readExtension(await readPeer(opened, listener())), "evidence"),
    ).toString();
  const { client, workload } = await dial(opened, listener());
  (await workload).pipe(await workload);
  assert.equal(await evidenceNow(), "evidence 1");
  t.mock.timers.tick(CERTIFICATE_EVIDENCE_MS);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await evidenceNow(), "evidence 2");
  broken = true;
  t.mock.timers.tick(CERTIFICATE_EVIDENCE_MS);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await evidenceNow(), "evidence 2");
  assert.equal(opened.lines.length, 1);
  client.write("still here");
  const [echo] = await once(client, "data");
  assert.equal(`${echo}`, "still here");
  client.destroy();
});

const GIVEN = listener({ certificate: "cert", key: "key", attestation: true });

test("a listener with a certificate of its own serves it unchanged and asks for no evidence", async () => {
  const { attest, asked } = makeAttester();
  const { certificate, key } = createCertificate("api.example");
  const opened = openListeners([GIVEN], attest, { cert: certificate, key });
  const served = await readPeer(opened, GIVEN);
  assert.equal(served.toString(), new X509Certificate(certificate).toString());
  assert.equal(asked.length, 0);
});

test("one secret may hold certificate and key", async () => {
  const { certificate, key } = createCertificate("api.example");
  const to = listener({ certificate: "both", key: "both" });
  const opened = openListeners([to], attestNothing, { both: `${key}${certificate}` });
  const served = await readPeer(opened, to);
  assert.equal(served.subject, "CN=api.example");
});

test("secrets that are no certificate and its key are refused, and what they hold is not said", () => {
  const { certificate, key } = createCertificate("api.example");
  const other = createCertificate("api.example");
  const marker = "MARKER0123456789";
  const garbled = certificate.replace(/\n.{20}/, `\n${marker}AAAA`);
  const locked = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: marker },
  }).privateKey;
  const cases: [Record<string, string>, RegExp][] = [
    [
      { cert: certificate, key: other.key },
      /"https": the certificate in "cert" \(CN=api\.example\) is for another key than the one in "key"/,
    ],
    [{ cert: marker, key }, /the secret "cert" cannot be read as a certificate; give it in PEM/],
    [{ cert: garbled, key }, /the secret "cert" cannot be read as a certificate/],
    [{ cert: key, key }, /the secret "cert" cannot be read as a certificate/],
    [
      { cert: certificate, key: marker },
      /the secret "key" cannot be read as a private key without a password/,
    ],
    [
      { cert: certificate, key: locked },
      /the secret "key" cannot be read as a private key without a password/,
    ],
    [{ cert: certificate, key: certificate }, /the secret "key" cannot be read as a private key/],
    [
      {
        cert: `${certificate}-----BEGIN CERTIFICATE-----\n${marker}\n-----END CERTIFICATE-----\n`,
        key,
      },
      /"cert" cannot be read as a chain/,
    ],
  ];
  for (const [secrets, message] of cases) {
    assert.throws(
      () => openListeners([GIVEN], attestNothing, secrets),
      (error: Error & { code?: string }) => {
        assert.match(error.message, message);
        assert.equal(error.code, "manifest/value");
        assert.ok(!`${error.stack}${error.cause}`.includes(marker));
        return true;
      },
    );
  }
});

async function ask(opened: Opened, to: ListenDescriptor, request: string) {
  const { client } = await dial(opened, to);
  const spki = spkiDigest(client.getPeerX509Certificate()!);
  client.write(request);
  const pieces: Buffer[] = [];
  for await (const piece of client) pieces.push(piece as Buffer);
  const all = Buffer.concat(pieces);
  const end = all.indexOf("\r\n\r\n");
  const [status, ...headers] = all.subarray(0, end).toString().split("\r\n");
  return {
    status,
    headers,
    body: all.subarray(end + 4),
    spki,
  };
}

const requestFor = (query: string) =>
  `GET /.well-known/donjon/attestation${query} HTTP/1.1\r\nHost: x\r\n\r\n`;

test("a listener with attestation answers with evidence over the nonce and the key that it serves with", async () => {
  const { attest } = makeAttester();
  const { certificate, key } = createCertificate("api.example");
  const self = listener({ name: "self", attestation: true });
  const opened = openListeners([GIVEN, self], attest, { cert: certificate, key });
  for (const to of [GIVEN, self]) {
    const nonce = randomBytes(32);
    const { status, headers, body, spki } = await ask(
      opened,
      to,
      requestFor(`?nonce=${nonce.toString("hex")}`),
    );
    assert.equal(status, "HTTP/1.1 200 OK");
    assert.deepEqual(headers, [
      "Content-Type: application/cmw+cbor",
      `Content-Length: ${body.length}`,
      "Cache-Control: no-store",
      "Connection: close",
    ]);
    const cmw = parseCmwCbor(new Uint8Array(body));
    assert.equal(cmw.kind, "collection");
    const binding = readBinding(cmw as CmwCollection);
    assert.deepEqual(Buffer.from(binding.nonce!), nonce);
    assert.deepEqual(Buffer.from(binding.key), spki);
    assert.equal(binding.exporter, null);
  }
});

test("a nonce that is none is refused with a sentence, and no evidence is made for it", async () => {
  const { attest, asked } = makeAttester();
  const { certificate, key } = createCertificate("api.example");
  const opened = openListeners([GIVEN], attest, { cert: certificate, key });
  const nonce = "ab".repeat(32);
  for (const query of [
    "",
    "?",
    "?nonce=",
    `?nonce=${nonce}0`,
    `?nonce=${nonce.slice(1)}`,
    `?nonce=${nonce}&a=b`,
    `?nonce=${"g".repeat(64)}`,
  ]) {
    const { status, body } = await ask(opened, GIVEN, requestFor(query));
    assert.equal(status, "HTTP/1.1 400 Bad Request", query);
    assert.match(body.toString(), /^wanted \?nonce= and 64 hexadecimal digits/);
  }
  assert.equal(asked.length, 0);
});

test("a Keep without evidence says that it has none", async () => {
  const { certificate, key } = createCertificate("api.example");
  const opened = openListeners([GIVEN], attestNothing, { cert: certificate, key });
  const { status, body } = await ask(opened, GIVEN, requestFor(`?nonce=${"ab".repeat(32)}`));
  assert.equal(status, "HTTP/1.1 503 Service Unavailable");
  assert.match(body.toString(), /gives no evidence/);
});

test("requests for evidence that is slow to come do not pile up", async () => {
  const { certificate, key } = createCertificate("api.example");
  const held: ((cmw: Uint8Array) => void)[] = [];
  const attest: AttestKey = () => new Promise((resolve) => held.push(resolve));
  const opened = openListeners([GIVEN], attest, { cert: certificate, key });
  const request = requestFor(`?nonce=${"ab".repeat(32)}`);
  const waiting = Array.from({ length: MAX_WAITING_ATTESTATIONS }, () =>
    ask(opened, GIVEN, request),
  );
  while (held.length < MAX_WAITING_ATTESTATIONS)
    await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await ask(opened, GIVEN, request)).status, "HTTP/1.1 429 Too Many Requests");
  for (const resolve of held.splice(0)) resolve(Uint8Array.of(1));
  for (const { status } of await Promise.all(waiting)) assert.equal(status, "HTTP/1.1 200 OK");
  const again = ask(opened, GIVEN, request);
  while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
  held[0]!(Uint8Array.of(1));
  assert.equal((await again).status, "HTTP/1.1 200 OK");
});

test("a flood of requests for evidence costs a bounded amount of evidence", async () => {
  const { attest, asked } = makeAttester();
  const { certificate, key } = createCertificate("api.example");
  const opened = openListeners([GIVEN], attest, { cert: certificate, key });
  const request = requestFor(`?nonce=${"ab".repeat(32)}`);
  const started = performance.now();
  const answers = await Promise.all(
    Array.from({ length: 5 * MAX_ATTESTATIONS_PER_SECOND }, () => ask(opened, GIVEN, request)),
  );
  const seconds = Math.ceil((performance.now() - started) / 1000);
  const refused = answers.filter(({ status }) => status === "HTTP/1.1 429 Too Many Requests");
  assert.ok(asked.length <= (seconds + 1) * MAX_ATTESTATIONS_PER_SECOND, `${asked.length} made`);
  assert.equal(refused.length + asked.length, answers.length);
});

test("other requests on a listener with attestation, and all on one without, are the workload's", async () => {
  const { attest, asked } = makeAttester();
  const { certificate, key } = createCertificate("api.example");
  const without = listener({ name: "plain" });
  const opened = openListeners([GIVEN, without], attest, { cert: certificate, key });
  const cases: [ListenDescriptor, string][] = [
    [GIVEN, "GET / HTTP/1.1\r\n\r\n"],
    [without, requestFor(`?nonce=${"ab".repeat(32)}`)],
  ];
  const made = asked.length;
  for (const [to, request] of cases) {
    const { client, workload } = await dial(opened, to);
    client.end(request);
    let text = "";
    for await (const piece of await workload) text += piece;
    assert.equal(text, request);
    client.destroy();
  }
  assert.ok(asked.length - made <= 1);
});

test("the workload may speak first on a listener without attestation", async () => {
  const opened = openListeners([listener()], attestNothing);
  const { client, workload } = await dial(opened, listener());
  (await workload).write("220 ready");
  const [greeting] = await once(client, "data");
  assert.equal(`${greeting}`, "220 ready");
  client.destroy();
});
