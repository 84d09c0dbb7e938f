/** Hosts that come first, come between, come later, or come with somebody else's name. */
import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { describe, test } from "node:test";
import { type ClientIdentity, createClientIdentity } from "@donjon/client/attested/identity";
import { openAttestedSession } from "@donjon/client/attested/open";
import { secureStream } from "@donjon/client/attested/tls";
import { openSession, type Provision } from "@donjon/client/session";
import { BARE_SESSION_TARGET } from "@donjon/protocol/gate/gate";
import { SESSION_PROTOCOL } from "@donjon/protocol/session/message";
import { encodeCatGuest, encodeHelloGuest } from "@donjon/testkit/contract/guests";
import { createProvision } from "@donjon/testkit/contract/keep-fixture";
import { flipBit } from "./support/faults.ts";
import { forgeKey } from "./support/forged-key.ts";
import { type HostileHost, readAll, startHost } from "./support/hostile-host.ts";
import { encodeMessage } from "./support/man-in-the-middle.ts";
import { findPiece } from "./support/planted.ts";
import { assertRefuses, createSetting, deliver } from "./support/setting.ts";

const setting = await createSetting();
const { owner, planted } = setting;
const thief = createClientIdentity(Date.now());
const start = (): HostileHost => {
  const host = startHost({ answer: setting.createAnswer(() => host.keep) });
  return host;
};
const verify = await (async () => {
  await using host = start();
  return setting.createVerifier(host.keep);
})();
const open = (host: HostileHost, identity: ClientIdentity) =>
  openAttestedSession(host.call(), { identity, verify, expect: "any" });
const detach = async (host: HostileHost, identity: ClientIdentity, provision: Provision) => {
  const session = await open(host, identity);
  const run = session.provision({ ...provision, detached: true });
  await run.started;
  return session;
};
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const visit = (host: HostileHost) => ({ stream: host.call(), verify });
const CLAIMED = { code: "evidence/refused", reason: "session/claimed" } as const;

describe("a host that comes before the client", () => {
  test("and provisions with its own key gets nothing", async () => {
    await using host = start();
    await detach(host, thief, createProvision(encodeCatGuest()));
    await assertRefuses(setting, visit(host), CLAIMED);
  });

  test("and provisions over a bare session, without a key, gets nothing", async () => {
    await using host = start();
    const bare = openSession(host.call(BARE_SESSION_TARGET));
    const run = bare.provision({ ...createProvision(encodeCatGuest()), detached: true });
    await run.started;
    await assertRefuses(setting, visit(host), CLAIMED);
  });

  test("and only announces a provision with its own key gets nothing", async () => {
    await using host = start();
    await announce(host);
    await assertRefuses(setting, visit(host), CLAIMED);
  });
});

describe("a host that provisions between the client's attestation and its provision", () => {
  for (const how of ["with its own key", "over a bare session"]) {
    test(`${how} gets nothing, and the client is told`, async () => {
      await using host = start();
      const session = await openAttestedSession(host.call(), {
        identity: owner,
        verify,
        expect: "new",
      });
      const provision = createProvision(encodeCatGuest());
      const first = how.startsWith("with")
        ? await open(host, thief)
        : openSession(host.call(BARE_SESSION_TARGET));
      const theirs = first.provision(provision);
      await theirs.started;
      const ours = session.provision(planted.provision);
      ours.stdin.end(planted.stdin);
      await assert.rejects(ours.result, { code: "session/refused", message: /start another/ });
      theirs.stdin.end("all that it sees");
      assert.equal((await readAll(theirs.stdout)).toString(), "all that it sees");
      assert.deepEqual((await theirs.result).outcome, { kind: "exit", code: 0 });
      assert.equal(findPiece(Buffer.concat(host.recorded), planted), undefined);
    });
  }
});

describe("a host that swaps what runs", () => {
  const genuine = createProvision(encodeHelloGuest("genuine"), '[env]\nWHO = "owner"\n');
  const wanted = { manifest: sha256(genuine.manifest), workload: sha256(genuine.workload) };
  const other = createProvision(encodeHelloGuest("swapped"));
  const swaps: Readonly<Record<string, Provision>> = {
    "workload and manifest": other,
    "one octet of the manifest, in place": changeManifest(genuine, "owner"),
    "one octet behind the manifest": {
      ...genuine,
      manifest: Buffer.concat([genuine.manifest, Buffer.from("#")]),
    },
  };
  for (const [what, provision] of Object.entries(swaps)) {
    test(`is found out by who asks what runs: ${what}`, async () => {
      await using host = start();
      await detach(host, thief, provision);
      const asking = { identity: owner, verify, expect: wanted };
      await assert.rejects(openAttestedSession(host.call(), asking), {
        code: "evidence/refused",
        reason: "session/other",
      });
    });
  }

  const lies: Readonly<Record<string, Provision>> = {
    "another workload": { ...genuine, workload: other.workload },
    "another manifest": { ...genuine, manifest: other.manifest },
    "one octet of the manifest, in place": changeManifest(genuine, wanted.workload),
    "one octet of the workload, in place": {
      ...genuine,
      workload: flipBit(genuine.workload, genuine.workload.length - 1, 0),
    },
  };
  for (const [what, provision] of Object.entries(lies)) {
    test(`against its digest is refused by the Keep, which runs nothing and ends: ${what}`, async () => {
      await using host = start();
      const run = (await open(host, thief)).provision(provision);
      const output: Buffer[] = [];
      run.stdout.on("data", (piece: Buffer) => output.push(piece)).on("error", () => {});
      await assert.rejects(run.result, { code: "manifest/digest" });
      await assert.rejects(run.started, { code: "manifest/digest" });
      await host.keep.ended;
      assert.deepEqual(output, []);
    });
  }
});

test("a host that is not the owner can neither provision again, nor attach, nor stop", async () => {
  await using host = start();
  const session = await detach(host, owner, createProvision(encodeCatGuest()));
  const refused = { code: "session/refused" };
  const strangers = [
    () => open(host, thief),
    async () => openSession(host.call(BARE_SESSION_TARGET)),
  ];
  for (const come of strangers) {
    await assert.rejects((await come()).attach({ input: true }).result, refused);
    await assert.rejects(
      (await come()).provision(createProvision(encodeCatGuest())).result,
      refused,
    );
    const stopping = (await come()).attach({ input: false });
    stopping.stop("kill");
    await assert.rejects(stopping.result, refused);
  }
  await assert.rejects(
    (await open(host, owner)).provision(createProvision(encodeCatGuest())).result,
    refused,
  );
  assert.equal(await host.health(), "running");
  assert.equal((await session.attest()).owner, Buffer.from(owner.digest).toString("hex"));
});

test("a host that shows the owner's certificate without its key is not let in", async () => {
  await using host = start();
  await detach(host, owner, createProvision(encodeCatGuest()));
  const { publicKey } = new X509Certificate(owner.certificatePem);
  const stolen = { ...owner, keyPem: forgeKey(publicKey) };
  await assert.rejects(open(host, stolen), { code: "session/closed" });
  const session = await open(host, owner);
  session.attach({ input: false }).result.catch(() => {});
  assert.equal(await host.health(), "running");
});

test("a host that kills the Keep between provision and run gets nothing, and the client is told at once", async () => {
  for (const when of ["sent", "provisioned", "started"] as const) {
    await using host = start();
    const { run } = await deliver(setting, visit(host));
    const output = readAll(run.stdout).catch(() => Buffer.alloc(0));
    if (when !== "sent") await run[when];
    host.keep.kill();
    await assert.rejects(run.result, { code: "session/closed" });
    assert.equal((await output).length, 0);
    assert.equal(findPiece(Buffer.concat(host.recorded), planted), undefined);
  }
});

/** The first octet of `text` is another digit: no other is changed, added or taken away. */
function changeManifest(genuine: ReturnType<typeof createProvision>, text: string): Provision {
  const manifest = Buffer.from(genuine.manifest);
  const at = manifest.indexOf(text);
  assert.notEqual(at, -1);
  manifest.write(manifest.toString("latin1", at, at + 1) === "0" ? "1" : "0", at);
  return { ...genuine, manifest };
}

/** Sends `provision` and nothing of the upload; resolves when the Keep has gone on after it. */
async function announce(host: HostileHost): Promise<void> {
  const { stream } = await secureStream(host.call(), thief);
  const sizes = { manifest: 64, workload: 64, secrets: [], trees: [] };
  const provision = { type: "provision", ...sizes, terminals: [], detached: true, time: 0 };
  const attest = { type: "attest", nonce: "00".repeat(32) };
  const hello = { type: "hello", protocol: SESSION_PROTOCOL };
  stream.write(Buffer.concat([hello, provision, attest].map(encodeMessage)));
  let said = "";
  for await (const piece of stream.iterator({ destroyOnReturn: false })) {
    said += piece;
    if (said.includes('"evidence"')) return;
  }
  assert.fail(`the Keep ended the session: ${said}`);
}
