/** What the gate of every backend's Keep must do; hostile hosts included. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { Duplex } from "node:stream";
import { describe, test } from "node:test";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { openSession } from "@donjon/client/session";
import type { Backend, KeepEnd } from "@donjon/host/backend/backend";
import { encodeMuxFrame, encodeU32, MUX_KIND } from "@donjon/protocol/gate/mux-frame";
import { openGatePipe } from "@donjon/protocol/gate/pipe";
import { SESSION_PROTOCOL } from "@donjon/protocol/session/message";
import { createCertificate } from "./certificate.ts";
import { encodeConnectGuest, encodeEchoServerGuest, encodeHelloGuest } from "./guests.ts";
import { callPort, readAll, startKeep, startRun } from "./keep-fixture.ts";

const listener = (protocol: string) =>
  `[[listeners]]\nname = "echo"\nprotocol = "${protocol}"\nport = 7\n`;
const connection = (protocol: string, host: string, port: number) =>
  `[[connections]]\nname = "peer"\nprotocol = "${protocol}"\nhost = "${host}"\nport = ${port}\n`;

export interface GateContractOptions {
  /** Connections to a listener at once. */
  readonly connections: number;
  /** How the host sees a Keep that ends itself. */
  readonly ending: KeepEnd;
  /** Tests at once. */
  readonly concurrency: number;
}

export function testGateContract(backend: Backend, options: GateContractOptions): void {
  const { ending, concurrency } = options;
  describe(`gate of a ${backend.name} Keep`, { concurrency }, () => {
    test("tells its state as the Keep's life goes on", async () => {
      await using under = startKeep(backend);
      assert.deepEqual(await under.gate.health(), { protocol: 1, state: "new" });
      const { run } = startRun(under.gate, encodeEchoServerGuest(3), listener("tcp"));
      await run.provisioned;
      const port = await echoPort(under.gate);
      await callPort(port, Buffer.from("x"));
      assert.equal((await under.gate.health()).state, "running");
      run.stop("kill");
      assert.deepEqual((await run.result).outcome, { kind: "stopped", how: "kill" });
    });

    test("hands connections to a listener, those that come before the manifest too", async () => {
      await using under = startKeep(backend);
      const port = await echoPort(under.gate);
      const early = callPort(port, Buffer.from("early"));
      startRun(under.gate, encodeEchoServerGuest(3), listener("tcp")).run.result.catch(() => {});
      assert.equal((await early).toString(), "early");
      const calls = Array.from({ length: options.connections }, async (_, index) => {
        const bytes = randomBytes(1 + ((index * 37) % 5000));
        assert.deepEqual(await callPort(port, bytes), bytes);
      });
      await Promise.all(calls);
    });

    test("lives on when a connection breaks that came before the manifest", async () => {
      await using under = startKeep(backend);
      const port = await echoPort(under.gate);
      const broken = connect({ host: "127.0.0.1", port });
      await once(broken, "connect");
      // The Keep answers after it has got the call.
      const call = callPort(port, Buffer.from("after it"));
      await under.gate.health();
      broken.resetAndDestroy();
      startRun(under.gate, encodeEchoServerGuest(3), listener("tcp")).run.result.catch(() => {});
      assert.equal((await call).toString(), "after it");
    });

    test("refuses a connection for a listener that the manifest does not name", async () => {
      await using under = startKeep(backend);
      const { run } = startRun(under.gate, encodeEchoServerGuest(3), listener("tcp"));
      run.result.catch(() => {});
      await run.provisioned;
      const { port } = await under.gate.listen({ name: "other", address: "127.0.0.1", port: 0 });
      const answer = await callPort(port, Buffer.from("x")).catch((error: Error) => error.message);
      assert.notEqual(answer.toString(), "x");
    });

    test("makes the connections that the host allows", async () => {
      await using under = startKeep(backend);
      const greeter = createServer((socket) => {
        socket.once("data", (bytes) => socket.end(`you said ${bytes}`));
      });
      await new Promise<void>((resolve) => greeter.listen(0, "127.0.0.1", resolve));
      const { port } = greeter.address() as { port: number };
      under.gate.allowConnections([`127.0.0.1:${port}`]);
      const guest = encodeConnectGuest(3, "hello");
      const { run } = startRun(under.gate, guest, connection("tcp", "127.0.0.1", port));
      assert.equal((await readAll(run.stdout)).toString(), "you said hello");
      assert.deepEqual((await run.result).outcome, { kind: "exit", code: 0 });
      greeter.close();
    });

    test("refuses a connection that the host does not allow", async () => {
      await using under = startKeep(backend);
      under.gate.allowConnections(["127.0.0.1:1"]);
      const guest = encodeConnectGuest(3, "hello");
      const { run } = startRun(under.gate, guest, connection("tcp", "127.0.0.1", 2));
      await assert.rejects(run.result, { name: "DonjonError", code: "gate/refused" });
    });

    test("says that a connection was not reached", async () => {
      await using under = startKeep(backend);
      under.gate.allowConnections(["127.0.0.1:1"]);
      const guest = encodeConnectGuest(3, "hello");
      const { run } = startRun(under.gate, guest, connection("tcp", "127.0.0.1", 1));
      await assert.rejects(run.result, { code: "gate/closed", message: /ECONNREFUSED/ });
    });

    test("ends TLS 1.3 inside the Keep for a TLS listener, and takes nothing older", async () => {
      await using under = startKeep(backend);
      const port = await echoPort(under.gate);
      const { run } = startRun(under.gate, encodeEchoServerGuest(3), listener("tls"));
      run.result.catch(() => {});
      const call = { host: "127.0.0.1", port, rejectUnauthorized: false };
      const secured = connectTls(call);
      let version: string | null = null;
      secured.once("secureConnect", () => {
        version = secured.getProtocol();
      });
      secured.end("over TLS");
      assert.equal((await readAll(secured)).toString(), "over TLS");
      assert.equal(version, "TLSv1.3");
      const plain = await callPort(port, Buffer.from("not TLS")).catch(() => Buffer.alloc(0));
      assert.notEqual(plain.toString(), "not TLS");
      const old = connectTls({ ...call, maxVersion: "TLSv1.2" });
      await assert.rejects(readAll(old), /version|alert|disconnected|reset|hang up/i);
    });

    test("refuses a TLS connection to a peer whose certificate no root vouches for", async () => {
      const { certificate, key } = createCertificate();
      const peer = createTlsServer({ cert: certificate, key }, (socket) => socket.end("trust me"));
      await new Promise<void>((resolve) => peer.listen(0, "127.0.0.1", resolve));
      const { port } = peer.address() as { port: number };
      await using under = startKeep(backend);
      under.gate.allowConnections([`localhost:${port}`]);
      const guest = encodeConnectGuest(3, "hello");
      const { run } = startRun(under.gate, guest, connection("tls", "localhost", port));
      await assert.rejects(run.result, { code: "gate/refused", message: /certificate/ });
      peer.close();
    });

    test("refuses what it does not know, in a sentence, and goes on", async () => {
      const keep = backend.start({ onConsole: () => {} });
      const pipe = openGatePipe(keep.in, { role: "caller", Duplex });
      for (const target of ["evil:1", "Session", "listen:", "x".repeat(1024)]) {
        const stream = pipe.open(target);
        await assert.rejects(readAll(stream), {
          code: "gate/refused",
          message: /wanted "session"/,
        });
      }
      const health = pipe.open("health");
      health.end();
      assert.match((await readAll(health)).toString(), /"state":"new"/);
      keep.kill();
      pipe.close();
      await keep.ended;
    });

    const openings: readonly (readonly [string, Uint8Array])[] = [
      ["random bytes", randomBytes(65536)],
      ["another protocol number", encodeMuxFrame(MUX_KIND.preface, 0, encodeU32(2))],
      ["a frame before the preface", encodeMuxFrame(MUX_KIND.open, 1, Buffer.from("session"))],
      ["half a frame", encodeMuxFrame(MUX_KIND.preface, 0, encodeU32(1)).subarray(0, 7)],
    ];
    for (const [what, bytes] of openings) {
      test(`ends the Keep when the host sends ${what} and closes`, async () => {
        const keep = backend.start({ onConsole: () => {} });
        keep.in.on("error", () => {});
        keep.in.resume();
        keep.in.end(bytes);
        assert.deepEqual(await keep.ended, ending);
      });
    }

    test("ends the Keep when the host closes the pipe", async () => {
      const keep = backend.start({ onConsole: () => {} });
      keep.in.resume();
      keep.in.end();
      assert.deepEqual(await keep.ended, ending);
    });

    test("goes on when streams are opened and left half open", async () => {
      await using under = startKeep(backend);
      const idle = Array.from({ length: 100 }, () => under.gate.openBareSession());
      const { run } = startRun(under.gate, encodeHelloGuest("still here"));
      assert.equal((await readAll(run.stdout)).toString(), "still here");
      await run.result;
      for (const stream of idle) stream.on("error", () => {}).destroy();
    });

    test("gives each session its own fate: random bytes end one and leave the next alone", async () => {
      await using under = startKeep(backend);
      for (let round = 0; round < 20; round++) {
        const stream = under.gate.openBareSession();
        stream.write(randomBytes(1 + round * 100));
        stream.end();
        await readAll(stream);
      }
      const { run } = startRun(under.gate, encodeHelloGuest("unharmed"));
      assert.equal((await readAll(run.stdout)).toString(), "unharmed");
      await run.result;
    });

    test("tells a client of another session protocol so", async () => {
      await using under = startKeep(backend);
      const stream = under.gate.openBareSession();
      const json = Buffer.from('{"type":"hello","protocol":9}');
      stream.write(Buffer.concat([Buffer.from([0, 0, 0, 0, 0, 0, 0, json.length]), json]));
      const answer = (await readAll(stream)).subarray(8).toString();
      assert.match(answer, /"failure".*session\/protocol/);
      assert.ok(answer.includes(`speaks session protocol 9, wanted ${SESSION_PROTOCOL}`), answer);
    });

    test("takes no second owner", async () => {
      await using under = startKeep(backend);
      const first = startRun(under.gate, encodeEchoServerGuest(3), listener("tcp"));
      first.run.result.catch(() => {});
      await first.run.provisioned;
      const second = openSession(under.gate.openBareSession());
      assert.equal((await second.hello).protocol, SESSION_PROTOCOL);
      const { run } = startRun(under.gate, encodeHelloGuest("mine now"));
      await assert.rejects(run.result, { code: "session/refused" });
      assert.equal((await under.gate.health()).state, "running");
    });
  });
}

async function echoPort(gate: ReturnType<typeof startKeep>["gate"]): Promise<number> {
  return (await gate.listen({ name: "echo", address: "127.0.0.1", port: 0 })).port;
}
