/** Hosts that stand between client and Keep as the other end of TLS for both. */
import assert from "node:assert/strict";
import { hash, X509Certificate } from "node:crypto";
import { after, describe, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { createClientIdentity } from "@donjon/client/attested/identity";
import { secureStream } from "@donjon/client/attested/tls";
import { openSession } from "@donjon/client/session";
import { encodePem } from "@donjon/core/pem-encode";
import { encodeBinding, parseBinding } from "@donjon/protocol/attestation/binding";
import { encodeEvidence } from "@donjon/protocol/attestation/evidence";
import { encodeU32 } from "@donjon/protocol/gate/mux-frame";
import { SESSION_ALPN } from "@donjon/protocol/session/carrier";
import { encodeFrameHeader, FRAME_KIND } from "@donjon/protocol/session/frame";
import { forgeKey } from "./support/forged-key.ts";
import { readAll, startHost } from "./support/hostile-host.ts";
import {
  assertImpostorGetsNothing,
  HELLO,
  type ImpostorOptions,
} from "./support/man-in-the-middle.ts";
import { assertRefuses, createSetting, deliver, type Refusal } from "./support/setting.ts";

const setting = await createSetting();
/** A genuine Keep, which the man in the middle may ask whatever he likes. */
const host = startHost({ answer: setting.createAnswer(() => host.keep) });
after(() => host[Symbol.asyncDispose]());
const verify = await setting.createVerifier(host.keep);
const stranger = createClientIdentity(Date.now());

const assertGetsNothing = (
  options: ImpostorOptions,
  wanted: Refusal | readonly Refusal[],
  timeoutMs?: number,
) => assertImpostorGetsNothing(setting, verify, { ...options, timeoutMs }, wanted);

/** Evidence of the genuine Keep for the man's own session with it, over whatever nonce. */
async function askGenuine(nonce: string): Promise<Uint8Array> {
  const { stream } = await secureStream(host.call(), stranger);
  const session = openSession(stream);
  const cmw = await session.askEvidence(Buffer.from(nonce, "hex"));
  session.close();
  return cmw;
}

const toText = (cmw: Uint8Array) => Buffer.from(cmw).toString("base64url");
const ANOTHER_SESSION = { code: "evidence/refused", reason: "session/binding" } as const;

describe("a man in the middle", () => {
  test("who relays the nonce to a genuine Keep, and its evidence back, gets nothing", async () => {
    await assertGetsNothing(
      {
        onSecure: (say) => say(HELLO),
        onAttest: async (nonce, say) =>
          say({ type: "evidence", nonce, cmw: toText(await askGenuine(nonce)) }),
      },
      ANOTHER_SESSION,
    );
  });

  test("who replays evidence that he saw earlier gets nothing", async () => {
    const earlier = toText(await askGenuine("ab".repeat(32)));
    await assertGetsNothing(
      {
        onSecure: (say) => say(HELLO),
        onAttest: (nonce, say) => say({ type: "evidence", nonce, cmw: earlier }),
      },
      ANOTHER_SESSION,
    );
  });

  test("who swaps the certificate for one with the same names over his own key gets nothing", async () => {
    const genuine = await readCertificate();
    const { createIdentity } = await import("@donjon/keep/identity/identity");
    const own = createIdentity(Date.now());
    assert.equal(new X509Certificate(own.certificatePem).subject, genuine.subject);
    await assertGetsNothing(
      {
        cert: own.certificatePem,
        key: own.keyPem,
        onSecure: (say) => say(HELLO),
        onAttest: async (nonce, say) =>
          say({ type: "evidence", nonce, cmw: toText(await askGenuine(nonce)) }),
      },
      ANOTHER_SESSION,
    );
  });

  test("who shows the Keep's own certificate without its key does not get past the handshake", async () => {
    const genuine = await readCertificate();
    await assertGetsNothing(
      { cert: encodePem("CERTIFICATE", genuine.raw), key: forgeKey(genuine.publicKey) },
      { code: "session/closed", message: /signature/ },
    );
  });

  test("who writes a binding for this session around genuine evidence gets nothing", async () => {
    await assertGetsNothing(
      {
        onSecure: (say) => say(HELLO),
        onAttest: async (nonce, say, socket) => {
          const { evidence } = await setting.processor.createEvidence(
            await host.keep.measure(),
            Buffer.alloc(64, 7),
          );
          const { publicKey } = socket.getX509Certificate()!;
          const spki = publicKey.export({ type: "spki", format: "der" });
          const binding = encodeBinding({
            nonce: Buffer.from(nonce, "hex"),
            exporter: socket.exportKeyingMaterial(32, "EXPORTER-donjon-session", Buffer.alloc(0)),
            key: hash("sha256", spki, "buffer"),
            manifest: null,
            workload: null,
            owner: null,
          });
          const cmw = encodeEvidence(binding, {
            tee: "sgx",
            evidence,
            auxiliary: new Uint8Array(0),
          });
          say({ type: "evidence", nonce, cmw: toText(cmw) });
        },
      },
      { code: "evidence/refused", reason: "policy/report-data" },
    );
  });

  test("who replays evidence of the form for certificates, or without an exporter, gets nothing", async () => {
    const { key } = await secureStream(host.call(), stranger);
    for (const withNonce of [false, true]) {
      await assertGetsNothing(
        {
          onSecure: (say) => say(HELLO),
          onAttest: async (nonce, say) => {
            const binding = encodeBinding({
              nonce: withNonce ? Buffer.from(nonce, "hex") : null,
              exporter: null,
              key,
              manifest: null,
              workload: null,
              owner: null,
            });
            // Genuine: the Keep makes such for its listeners.
            const { evidence, auxiliary } = await setting.processor.createEvidence(
              await host.keep.measure(),
              hash("sha512", binding, "buffer"),
            );
            const cmw = encodeEvidence(binding, { tee: "sgx", evidence, auxiliary });
            say({ type: "evidence", nonce, cmw: toText(cmw) });
          },
        },
        ANOTHER_SESSION,
      );
    }
  });

  test("who sends no evidence, evidence that nobody asked for, or a success instead gets nothing", async () => {
    const protocol = { code: "session/protocol" } as const;
    const silence = { code: "session/timeout" } as const;
    const digest = "00".repeat(32);
    const lies: readonly (readonly [unknown, Refusal])[] = [
      [{ type: "evidence", nonce: digest, cmw: "AA" }, protocol],
      [{ type: "provisioned", manifest: digest, workload: digest }, silence],
      [{ type: "started", phases: {} }, protocol],
      [{ type: "attached", state: "running", lost: 0 }, silence],
      [{ type: "accepted" }, protocol],
    ];
    for (const [lie, wanted] of lies) {
      await assertGetsNothing(
        {
          onSecure: (say) => {
            say(HELLO);
            say(lie);
          },
        },
        wanted,
        wanted === silence ? 300 : undefined,
      );
    }
  });

  test("who sends messages without end, or announces huge ones, gets nothing and takes no memory", async () => {
    const before = process.memoryUsage().rss;
    await assertGetsNothing(
      {
        onSecure: (say, socket) => {
          say(HELLO);
          const credit = Buffer.concat([encodeFrameHeader(FRAME_KIND.credit, 1, 4), encodeU32(1)]);
          const more = () => {
            while (!socket.destroyed && socket.write(Buffer.alloc(credit.length * 512, credit)));
          };
          socket.on("drain", more);
          more();
        },
      },
      [{ code: "session/protocol" }, { code: "session/limit" }, { code: "session/timeout" }],
      1_000,
    );
    for (const [kind, channel] of [
      [FRAME_KIND.message, 0],
      [FRAME_KIND.data, 2],
      [FRAME_KIND.credit, 1],
      [FRAME_KIND.end, 2],
    ] as const) {
      const header = Buffer.from(encodeFrameHeader(kind, channel, 0));
      header.writeUInt32BE(0xffff_ffff, 4);
      await assertGetsNothing({ onSecure: (_say, socket) => void socket.write(header) }, [
        { code: "session/limit" },
        { code: "session/protocol" },
      ]);
    }
    assert.ok(process.memoryUsage().rss - before < 256 << 20);
  });

  test("who is silent after the handshake, or before it, is left when the client's time is over", async () => {
    await assertGetsNothing({}, { code: "session/timeout" }, 200);
    const { duplexPair } = await import("node:stream");
    const [stream] = duplexPair();
    await assertRefuses(setting, { stream, verify, timeoutMs: 200 }, { code: "session/timeout" });
  });
});

test("the Keep that all of them asked is still new, and serves the client of an honest host", async () => {
  assert.equal(await host.health(), "new");
  const { session, run } = await deliver(setting, { stream: host.call(), verify });
  assert.equal(parseBinding(session.statement.evidence.binding).owner, null);
  run.stdin.end("in");
  assert.equal((await readAll(run.stdout)).toString(), "in");
  await run.result;
});

async function readCertificate(): Promise<X509Certificate> {
  const socket = connectTls({
    socket: host.call(),
    rejectUnauthorized: false,
    ALPNProtocols: [SESSION_ALPN],
  });
  await new Promise((resolve) => socket.once("secureConnect", resolve));
  const certificate = socket.getPeerX509Certificate()!;
  socket.destroy();
  return certificate;
}
