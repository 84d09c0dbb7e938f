/** Hosts that pose as clients of a genuine Keep, inside TLS, and say what no client would. */
import assert from "node:assert/strict";
import type { Duplex } from "node:stream";
import { after, describe, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { createClientIdentity } from "@donjon/client/attested/identity";
import { secureStream } from "@donjon/client/attested/tls";
import { openSession } from "@donjon/client/session";
import { MAX_EVIDENCE_REQUESTS, MAX_FRAME_BYTES } from "@donjon/protocol/limits";
import { SESSION_ALPN } from "@donjon/protocol/session/carrier";
import { CHANNEL, encodeFrameHeader, FRAME_KIND } from "@donjon/protocol/session/frame";
import { SESSION_PROTOCOL } from "@donjon/protocol/session/message";
import { encodeCatGuest } from "@donjon/testkit/contract/guests";
import { createProvision } from "@donjon/testkit/contract/keep-fixture";
import fc from "fast-check";
import { readAll, startHost } from "./support/hostile-host.ts";
import { encodeMessage } from "./support/man-in-the-middle.ts";
import { createSetting, deliver } from "./support/setting.ts";

const setting = await createSetting();
const honest = setting.createAnswer(() => host.keep);
const host = startHost({ answer: honest });
after(() => host[Symbol.asyncDispose]());
const verify = await setting.createVerifier(host.keep);
const stranger = createClientIdentity(Date.now());

const HELLO = { type: "hello", protocol: SESSION_PROTOCOL };
const NONCE = "00".repeat(32);
const ATTEST = { type: "attest", nonce: NONCE };
const SIZES = { manifest: 1, workload: 1, secrets: [], trees: [], terminals: [] };
const PROVISION = { type: "provision", ...SIZES, detached: false, time: 0 };

/** All that the Keep answers to these octets inside TLS, until it ends the session. */
async function say(...parts: readonly Uint8Array[]): Promise<string> {
  const { stream } = await secureStream(host.call(), stranger);
  stream.write(Buffer.concat(parts));
  return (await readUntilClosed(stream)).toString("latin1");
}

function readUntilClosed(stream: Duplex): Promise<Buffer> {
  const pieces: Buffer[] = [];
  stream.on("error", () => {});
  stream.on("data", (piece: Buffer) => pieces.push(piece));
  return new Promise((resolve) => {
    stream.once("end", () => {
      stream.destroy();
      resolve(Buffer.concat(pieces));
    });
    stream.once("close", () => resolve(Buffer.concat(pieces)));
  });
}

const messages = (...all: readonly unknown[]) => Buffer.concat(all.map(encodeMessage));
const frame = (kind: number, channel: number, length: number, payload = new Uint8Array(0)) => {
  const header = Buffer.from(encodeFrameHeader(kind as 0, channel as 0, 0));
  header.writeUInt32BE(length, 4);
  return Buffer.concat([header, payload]);
};

describe("a host that poses as a client", () => {
  const wrong: Readonly<Record<string, Uint8Array>> = {
    "asks for evidence before it greets": messages(ATTEST),
    "greets twice": messages(HELLO, HELLO),
    "speaks another session protocol": messages({ ...HELLO, protocol: SESSION_PROTOCOL - 1 }),
    "sends a Keep's message": messages(HELLO, {
      type: "provisioned",
      manifest: NONCE,
      workload: NONCE,
    }),
    "sends a field too many": messages(HELLO, { ...ATTEST, also: 1 }),
    "sends a nonce of another length": messages(HELLO, { ...ATTEST, nonce: "00" }),
    "announces more than a workload may have": messages(HELLO, { ...PROVISION, workload: 2 ** 40 }),
    "announces less than nothing": messages(HELLO, { ...PROVISION, manifest: -1 }),
    "uploads what it has not announced": Buffer.concat([
      messages(HELLO),
      frame(FRAME_KIND.data, CHANNEL.upload, 1, Buffer.of(1)),
    ]),
    "ends an upload that it has not announced": Buffer.concat([
      messages(HELLO),
      frame(FRAME_KIND.end, CHANNEL.upload, 0),
    ]),
    "writes a stdin that nobody reads": Buffer.concat([
      messages(HELLO),
      frame(FRAME_KIND.data, CHANNEL.stdin, 1, Buffer.of(1)),
    ]),
    "writes on the Keep's channels": Buffer.concat([
      messages(HELLO),
      frame(FRAME_KIND.data, CHANNEL.stdout, 1, Buffer.of(1)),
    ]),
    "announces a huge message": frame(FRAME_KIND.message, CHANNEL.control, 0xffff_ffff),
    "announces a huge frame": frame(FRAME_KIND.data, CHANNEL.upload, MAX_FRAME_BYTES + 1),
    "gives more credit than there is": frame(
      FRAME_KIND.credit,
      CHANNEL.stdout,
      4,
      Buffer.alloc(4, 0xff),
    ),
    "attaches to nothing": messages(HELLO, { type: "attach", input: true }),
    "stops nothing": messages(HELLO, { type: "stop", how: "kill" }),
  };
  for (const [what, octets] of Object.entries(wrong)) {
    test(`is told that it is wrong, and changes nothing: ${what}`, async () => {
      assert.match(await say(octets), /"type":"failure","code":"(session|keep)\//);
      assert.equal(await host.health(), "new");
    });
  }

  test("and says anything at all changes nothing", async () => {
    const any = fc.oneof(
      fc.uint8Array({ minLength: 9, maxLength: 200 }).map((octets) => Buffer.from(octets)),
      fc.json().map((json) => {
        const body = Buffer.from(json);
        return Buffer.concat([messages(HELLO), frame(0, 0, body.length, body)]);
      }),
    );
    await fc.assert(
      fc.asyncProperty(any, async (octets) => {
        const { stream } = await secureStream(host.call(), stranger);
        stream.on("error", () => {});
        stream.resume().end(octets);
        await new Promise((resolve) => stream.once("close", resolve));
        assert.equal(await host.health(), "new");
      }),
      { numRuns: 40 },
    );
  });

  test("and asks for evidence without end is told to wait", async () => {
    const held: Duplex[] = [];
    host.answer = (stream) => void held.push(stream);
    const asks = Array.from({ length: MAX_EVIDENCE_REQUESTS + 1 }, () => ATTEST);
    assert.match(await say(messages(HELLO, ...asks)), /"code":"session\/limit"/);
    // The Keep asks one at a time, and those of the session that is gone as well.
    host.answer = (stream) => void stream.destroy();
    for (const stream of held) stream.destroy();
  });

  test("and has no key to be known by owns nothing", async () => {
    const stream = connectTls({
      socket: host.call(),
      rejectUnauthorized: false,
      ALPNProtocols: [SESSION_ALPN],
    });
    await new Promise((resolve) => stream.once("secureConnect", resolve));
    const run = openSession(stream).provision(createProvision(encodeCatGuest()));
    await assert.rejects(run.result, { code: "session/refused", message: /with a certificate/ });
    assert.equal(await host.health(), "new");
  });
});

test("the Keep that heard all of it is still new, and serves the client of an honest host", async () => {
  host.answer = honest;
  const { run } = await deliver(setting, { stream: host.call(), verify });
  run.stdin.end("in");
  assert.equal((await readAll(run.stdout)).toString(), "in");
  await run.result;
});
