/** Hosts that have client and Keep speak something weaker than they would. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { BARE_SESSION_TARGET } from "@donjon/protocol/gate/gate";
import { encodeMuxFrame, encodeU32, MUX_KIND } from "@donjon/protocol/gate/mux-frame";
import { SESSION_ALPN } from "@donjon/protocol/session/carrier";
import { SESSION_PROTOCOL } from "@donjon/protocol/session/message";
import { startHost } from "./support/hostile-host.ts";
import {
  assertImpostorGetsNothing,
  encodeMessage,
  HELLO,
  type ImpostorOptions,
} from "./support/man-in-the-middle.ts";
import { assertRefuses, createSetting, type Refusal } from "./support/setting.ts";

const setting = await createSetting();
const host = startHost({ answer: setting.createAnswer(() => host.keep) });
after(() => host[Symbol.asyncDispose]());
const verify = await setting.createVerifier(host.keep);
const assertGetsNothing = (options: ImpostorOptions, wanted: Refusal) =>
  assertImpostorGetsNothing(setting, verify, options, wanted);

describe("a host that downgrades", () => {
  test("TLS to 1.2 gets nothing", async () => {
    await assertGetsNothing(
      { maxVersion: "TLSv1.2", minVersion: "TLSv1.2" },
      { code: "session/closed", message: /version/ },
    );
  });

  test("the application protocol gets nothing", async () => {
    for (const alpn of [["donjon/1"], ["http/1.1"], []]) {
      await assertGetsNothing({ alpn }, { code: "session/closed" });
    }
  });

  test("the session's protocol number gets nothing", async () => {
    for (const protocol of [0, SESSION_PROTOCOL - 1, SESSION_PROTOCOL + 1]) {
      await assertGetsNothing(
        { onSecure: (say) => say({ ...HELLO, protocol }) },
        { code: "session/protocol", message: /speaks session protocol/ },
      );
    }
  });

  test("an attested session to a bare one gets nothing", async () => {
    await assertRefuses(
      setting,
      { stream: host.call(BARE_SESSION_TARGET), verify },
      { code: "session/closed" },
    );
    assert.equal(await host.health(), "new");
  });

  test("or that speaks TLS 1.2, another application protocol or none as a client, is not served by the Keep", async () => {
    for (const options of [
      { maxVersion: "TLSv1.2", ALPNProtocols: [SESSION_ALPN] },
      { ALPNProtocols: ["donjon/1"] },
      {},
    ] as const) {
      assert.equal(await countAnswers(options), 0);
    }
  });

  test("the gate's protocol number ends the Keep's use of the pipe, and the Keep with it", async () => {
    const back = encodeMuxFrame(MUX_KIND.preface, 0, encodeU32(0));
    let first = true;
    await using old = startHost({
      answer: () => {},
      pipe: {
        forth: (piece) => {
          const out = first ? Buffer.concat([back, piece.subarray(back.length)]) : piece;
          first = false;
          return [out];
        },
      },
    });
    await assertRefuses(setting, { stream: old.call(), verify }, { code: "session/closed" });
    assert.deepEqual(await old.keep.ended, { kind: "killed", signal: "SIGKILL" });
  });
});

/** Octets that the Keep says inside TLS to a client that greets over it, until it closes. */
async function countAnswers(options: Readonly<ConnectionOptions>): Promise<number> {
  const socket = connectTls({ socket: host.call(), rejectUnauthorized: false, ...options });
  let answered = 0;
  socket.on("error", () => {});
  // What a Keep answers at once, if it serves the session at all.
  const hello = encodeMessage({ type: "hello", protocol: SESSION_PROTOCOL });
  socket.on("secureConnect", () => socket.write(hello));
  socket.on("data", (piece: Buffer) => {
    answered += piece.length;
    socket.destroy();
  });
  await new Promise((resolve) => socket.once("close", resolve));
  return answered;
}
