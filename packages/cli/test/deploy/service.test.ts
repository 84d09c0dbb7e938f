/** `donjon attest https://` against servers that tell the truth and servers that do not. */
import assert from "node:assert/strict";
import { createHash, createPublicKey, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { type AddressInfo, createServer as createPlainServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { decodeHex } from "@donjon/core/hex";
import { encodePem } from "@donjon/core/pem-encode";
import { createSelfSigned } from "@donjon/core/self-signed";
import { type Binding, encodeBinding } from "@donjon/protocol/attestation/binding";
import { encodeEvidence } from "@donjon/protocol/attestation/evidence";
import { openSecurityProcessor } from "@donjon/simtee/security-processor";
import { encodeTrust } from "@donjon/simtee/trust";
import { createFiles, runCommand } from "../command.ts";

const LIMIT = { timeout: 120_000 };
const MANIFEST = new TextEncoder().encode("the manifest");
const WORKLOAD = new TextEncoder().encode("the workload");
const MEASUREMENT = new Uint8Array(32).fill(0x77);

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();

interface Faults {
  /** Instead of what the server should say. */
  readonly binding?: Partial<Binding>;
  readonly spoil?: (cmw: Uint8Array) => Uint8Array;
  readonly contentType?: string;
}

interface Service {
  readonly url: string;
  /** The command's arguments that make it trust the server's machine. */
  readonly roots: readonly string[];
  readonly files: string;
  attest(...args: string[]): ReturnType<typeof runCommand>;
}

/** `inside`: evidence in the certificate, else at the well-known address only. */
async function startService(
  t: TestContext,
  inside: boolean,
  faults: Faults = {},
): Promise<Service> {
  const files = createFiles(t, { manifest: MANIFEST, workload: WORKLOAD });
  const processor = await openSecurityProcessor(join(files, "machine"));
  writeFileSync(join(files, "roots.json"), encodeTrust(processor.trust));
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  const prove = async (nonce: Uint8Array | null) => {
    const binding = encodeBinding({
      nonce,
      exporter: null,
      key: sha256(spki),
      manifest: sha256(MANIFEST),
      workload: sha256(WORKLOAD),
      owner: sha256(randomBytes(8)),
      ...faults.binding,
    });
    const launch = { tee: "sgx", measurement: MEASUREMENT } as const;
    const reportData = createHash("sha512").update(binding).digest();
    const { evidence, auxiliary } = await processor.createEvidence(launch, reportData);
    const cmw = encodeEvidence(binding, { tee: "sgx", evidence, auxiliary });
    return faults.spoil?.(cmw) ?? cmw;
  };
  const certificate = createSelfSigned({
    commonName: "a service",
    spki,
    serial: randomBytes(16),
    nowMs: Date.now(),
    sign: (signed) => sign("sha256", signed, privateKey),
    ...(inside ? { cmw: await prove(null) } : {}),
  });
  const tls = {
    cert: encodePem("CERTIFICATE", certificate),
    key: privateKey.export({ type: "pkcs8", format: "pem" }),
  };
  const server = createServer(tls, async (request, response) => {
    const nonce = /^\/\.well-known\/donjon\/attestation\?nonce=([0-9a-f]{64})$/.exec(request.url!);
    if (nonce === null) {
      response.writeHead(404).end("nothing here");
      return;
    }
    const type = faults.contentType ?? "application/cmw+cbor";
    response.writeHead(200, { "content-type": type }).end(await prove(decodeHex(nonce[1]!)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const roots = ["--insecure-root", join(files, "roots.json")];
  return {
    url,
    roots,
    files,
    attest: (...args) => runCommand(["attest", ...args, url], { env: { HOME: files } }),
  };
}

test(
  "a service with evidence in its certificate is accepted, and what it runs is told",
  LIMIT,
  async (t) => {
    const service = await startService(t, true);
    const { code, stdout, stderr } = await service.attest(...service.roots);
    assert.equal(code, 0, `${stdout}${stderr}`);
    const lines = `${stdout}`.trimEnd().split("\n");
    for (const line of lines) assert.match(line, /^INSECURE /);
    const digest = (bytes: Uint8Array) => sha256(bytes).toString("hex");
    assert.match(`${stdout}`, new RegExp(`manifest +sha256 ${digest(MANIFEST)}$`, "m"));
    assert.match(`${stdout}`, new RegExp(`workload +sha256 ${digest(WORKLOAD)}$`, "m"));
    assert.match(`${stdout}`, /mrenclave +7{64}$/m);
    assert.match(`${stdout}`, /image +not one that is built here$/m);
    assert.match(`${stdout}`, /as old as the certificate; --fresh/);
  },
);

test(
  "--manifest and --workload refuse anything else, and --policy another image",
  LIMIT,
  async (t) => {
    const service = await startService(t, true);
    const file = (name: string) => join(service.files, name);
    writeFileSync(
      file("policy.toml"),
      `report_data = "any"\n[sgx]\nmr_enclave = "${"77".repeat(32)}"\n`,
    );
    writeFileSync(
      file("other.toml"),
      `report_data = "any"\n[sgx]\nmr_enclave = "${"78".repeat(32)}"\n`,
    );
    const same = ["--manifest", file("manifest"), "--workload", file("workload")];
    const good = await service.attest(...service.roots, ...same, "--policy", file("policy.toml"));
    assert.equal(good.code, 0, `${good.stdout}${good.stderr}`);
    const swapped = ["--manifest", file("workload"), "--workload", `sha256:${"0".repeat(64)}`];
    const bad = await service.attest(...service.roots, ...swapped, "--json");
    assert.equal(bad.code, 120);
    const { verdict, checks, workload } = JSON.parse(`${bad.stdout}`);
    assert.equal(verdict, "refused");
    assert.equal(workload, sha256(WORKLOAD).toString("hex"));
    const { service: asked, keep } = JSON.parse(`${bad.stdout}`);
    assert.deepEqual([asked, keep], [{ host: new URL(service.url).host, key: null }, null]);
    const { service: told } = JSON.parse(
      `${(await service.attest(...service.roots, "--json")).stdout}`,
    );
    assert.match(told.key, /^sha256\/\/[A-Za-z0-9+/]{43}=$/);
    const failed = checks.filter(({ ok }: { ok: boolean }) => !ok);
    assert.deepEqual(
      failed.map(({ code }: { code: string }) => code),
      ["session/other", "session/other"],
    );
    const other = await service.attest(...service.roots, "--policy", file("other.toml"));
    assert.equal(other.code, 120);
    assert.match(`${other.stdout}`, /because +policy\/measurement/);
    const wrong = await service.attest(...service.roots, "--workload", "sha256:12");
    assert.equal(wrong.code, 125);
  },
);

test("a certificate of somebody else's is as good as its fresh evidence", LIMIT, async (t) => {
  const service = await startService(t, false);
  const proof = join(service.files, "p.donjon");
  const { code, stdout, stderr } = await service.attest(...service.roots, "--proof", proof);
  assert.equal(code, 0, `${stdout}${stderr}`);
  assert.doesNotMatch(`${stdout}`, /as old as/);
  const again = await runCommand(["verify", proof, ...service.roots]);
  assert.equal(again.code, 0, `${again.stdout}`);
  assert.match(`${again.stdout}`, new RegExp(`workload +${sha256(WORKLOAD).toString("hex")}`));
  const text = JSON.parse(readFileSync(proof, "utf8"));
  writeFileSync(
    `${proof}.2`,
    JSON.stringify({ ...text, preimage: text.preimage.replace("A", "B") }),
  );
  assert.equal((await runCommand(["verify", `${proof}.2`, ...service.roots])).code, 120);
  const fresh = await (await startService(t, true)).attest("--fresh", ...service.roots);
  assert.equal(fresh.code, 120, "roots of another machine");
});

test("evidence for another key, nonce, session or shape is refused", LIMIT, async (t) => {
  const other = new Uint8Array(32).fill(9);
  const spoil = (cmw: Uint8Array) => cmw.slice(0, -1);
  const cases: [boolean, Faults, RegExp][] = [
    [true, { binding: { key: other } }, /session\/binding/],
    [true, { binding: { nonce: other } }, /session\/binding/],
    [true, { binding: { exporter: other } }, /session\/binding/],
    [false, { binding: { nonce: other } }, /session\/binding/],
    [false, { binding: { nonce: null } }, /session\/binding/],
    [true, { spoil }, /malformed/],
    [false, { spoil }, /malformed/],
    [false, { contentType: "text/html" }, /shows no evidence.*text\/html/],
  ];
  for (const [inside, faults, says] of cases) {
    const service = await startService(t, inside, faults);
    const { code, stdout, stderr } = await service.attest(...service.roots);
    assert.equal(code, 120, `${says}: ${stdout}${stderr}`);
    assert.match(`${stdout}${stderr}`, says);
    assert.match(`${stdout}`, /^INSECURE REFUSED/);
  }
});

test(
  "simulated evidence is not taken without its root, and --insecure names none",
  LIMIT,
  async (t) => {
    const service = await startService(t, true);
    const policy = join(service.files, "any.toml");
    writeFileSync(policy, 'report_data = "any"\n[sgx]\nmr_enclave = "any"\n');
    const insecure = await service.attest("--insecure");
    assert.equal(insecure.code, 125);
    assert.match(insecure.stderr, /--insecure-root FILE/);
    const none = await service.attest();
    assert.equal(none.code, 125);
    assert.match(none.stderr, /there is no policy.* nothing was asked\. If .*--insecure-root FILE/);
    assert.match(none.stderr, /donjon policy init.*--policy/);
    assert.ok(none.stderr.length < 300, none.stderr);
  },
);

test("a server that is not there, or speaks no TLS 1.3, is told so", LIMIT, async (t) => {
  const files = createFiles(t, { "p.toml": 'report_data = "any"\n[sgx]\nmr_enclave = "any"\n' });
  const policy = ["--policy", join(files, "p.toml")];
  const gone = await runCommand(["attest", ...policy, "https://127.0.0.1:1"]);
  assert.equal(gone.code, 125);
  assert.match(gone.stderr, /127\.0\.0\.1:1 cannot be asked: nothing listens there\n/);
  const { certificate, key } = await import("@donjon/testkit/contract/certificate").then((module) =>
    module.createCertificate(),
  );
  const server = createServer({ cert: certificate, key, maxVersion: "TLSv1.2" });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const old = await runCommand(["attest", ...policy, `https://127.0.0.1:${port}`]);
  assert.equal(old.code, 125);
  assert.match(old.stderr, /cannot be asked: it does not speak TLS 1\.3/);
  const plain = createPlainServer((socket) => socket.end("220 mail.example ESMTP\r\n"));
  await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
  t.after(() => plain.close());
  const mail = `https://127.0.0.1:${(plain.address() as AddressInfo).port}`;
  for (const fresh of [[], ["--fresh"]]) {
    const { code, stderr } = await runCommand(["attest", ...policy, ...fresh, mail]);
    assert.equal(code, 125);
    assert.match(stderr, /cannot be asked: it does not speak TLS\n/);
  }
});
