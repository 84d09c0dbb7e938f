import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createClientIdentity } from "@donjon/client/attested/identity";
import { readTlsFiles } from "../../src/agent/tls-files.ts";
import { makeState, startAgent } from "./start-agent.ts";

test("a wrong file for TLS is named, with what is in it and what is wanted", (t) => {
  const state = mkdtempSync(join(tmpdir(), "donjon-tls-"));
  t.after(() => rmSync(state, { recursive: true }));
  const [own, other] = [createClientIdentity(Date.now()), createClientIdentity(Date.now())];
  const write = (name: string, text: string): string => {
    writeFileSync(join(state, name), text);
    return join(state, name);
  };
  const certificate = write("own.pem", own.certificatePem);
  const key = write("own.key", own.keyPem);
  const damaged = own.certificatePem.replace(/(?<=-----\n)\S{4}/, "AAAA");
  for (const [files, message] of [
    [[key, key], /own\.key' \(--tls-cert\) .*: it holds 'PRIVATE KEY', and a certificate in PEM/],
    [
      [certificate, certificate],
      /\(--tls-key\) .*: it holds 'CERTIFICATE', and a private key in PEM/,
    ],
    [[write("a", "hello"), key], /\/a' \(--tls-cert\) cannot be used: it is no PEM, and/],
    [[certificate, write("b", "")], /\/b' \(--tls-key\) cannot be used: it is empty, and/],
    [[write("c", damaged), key], /\/c' .*: number 1 in it is damaged, and a certificate/],
    [[certificate, write("d", other.keyPem)], /\/d' \(--tls-key\) is not the key of .*own\.pem'/],
    [[certificate, key, key], /own\.key' \(--client-ca\) .* it holds 'PRIVATE KEY', and a cert/],
    [[certificate, join(state, "none")], /none' \(--tls-key\) cannot be read: no such file/],
  ] as const) {
    const [tlsCert, tlsKey, clientCa] = files;
    const options = { tlsCert, tlsKey, ...(clientCa === undefined ? {} : { clientCa }) };
    assert.throws(() => readTlsFiles(options), { code: "files/read", message });
  }
  const files = { tlsCert: certificate, tlsKey: key, clientCa: write("e", other.certificatePem) };
  assert.deepEqual(readTlsFiles(files), {
    certificate: own.certificatePem,
    key: own.keyPem,
    clientCa: other.certificatePem,
  });
});

test("an agent whose key every user may read starts, and warns of it once", async (t) => {
  const state = await makeState(t);
  const { certificatePem, keyPem } = createClientIdentity(Date.now());
  const [certificate, key] = [join(state, "own.pem"), join(state, "own.key")];
  writeFileSync(certificate, certificatePem);
  writeFileSync(key, keyPem);
  const files = ["--tls-cert", certificate, "--tls-key", key];
  for (const [mode, said] of [
    [0o644, ["0644"]],
    [0o640, []],
  ] as const) {
    chmodSync(key, mode);
    const agent = await startAgent(t, state, "--listen", "https://127.0.0.1:0", ...files);
    const warned = agent.lines().filter(({ event }) => /may read the agent's key/.test(`${event}`));
    assert.deepEqual(
      warned.map(({ level, path, mode: found, advice }) => [level, path, found, advice]),
      said.map((shown) => ["warn", key, shown, `chmod o= '${key}'`]),
    );
    assert.equal(await agent.end("SIGTERM"), 0);
  }
});
