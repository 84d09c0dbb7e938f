/** Workloads that outlive the session that provisioned them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AttestedSession } from "@donjon/client/attested/open";
import type { Backend } from "@donjon/host/backend/backend";
import { JOURNAL_BYTES } from "@donjon/protocol/limits";
import type { SimulatedCarrier } from "./carrier.ts";
import { encodeCatGuest, encodeHelloGuest, encodeSpinGuest } from "./guests.ts";
import { createProvision, type KeepUnderTest, readAll, startKeep } from "./keep-fixture.ts";

/** @param concurrency tests at once */
export function testDetachedContract(
  backend: Backend,
  carrier: SimulatedCarrier,
  concurrency = 1,
): void {
  const open = (under: KeepUnderTest): Promise<AttestedSession> =>
    carrier.openAs(under.keep, under.gate, carrier.identity, "any");
  const deploy = async (under: KeepUnderTest, workload: Uint8Array): Promise<void> => {
    const session = await open(under);
    await session.provision({ ...createProvision(workload), detached: true }).started;
    session.close();
  };
  /** A session that writes its piece of stdin and goes without ending it. */
  const feed = async (under: KeepUnderTest, text: string): Promise<string> => {
    const session = await open(under);
    const run = session.attach({ input: true });
    run.result.catch(() => {});
    run.stdin.write(text);
    let seen = "";
    for await (const piece of run.stdout) {
      seen += piece;
      if (seen.endsWith(text)) break;
    }
    session.close();
    return seen;
  };

  describe(`detached workload in a ${backend.name} Keep`, { concurrency }, () => {
    test("goes on when its session is gone; who attaches sees all from the start, and the exit", async () => {
      await using under = startKeep(backend, carrier);
      await deploy(under, encodeCatGuest());
      assert.equal(await feed(under, "one "), "one ");
      assert.equal(await feed(under, "two "), "one two ");
      const last = (await open(under)).attach({ input: true });
      assert.deepEqual(await last.attached, { type: "attached", state: "running", lost: 0 });
      last.stdin.end("three");
      assert.equal((await readAll(last.stdout)).toString(), "one two three");
      assert.deepEqual((await last.result).outcome, { kind: "exit", code: 0 });
    });

    test("stays after its exit for who asks what it was, what it wrote and how it ended", async () => {
      await using under = startKeep(backend, carrier);
      await deploy(under, encodeHelloGuest("done\n", 7));
      for (let round = 0; round < 2; round++) {
        const session = await open(under);
        assert.notEqual(session.statement.workload, null);
        const run = session.attach({ input: false });
        assert.equal((await readAll(run.stdout)).toString(), "done\n");
        assert.deepEqual((await run.result).outcome, { kind: "exit", code: 7 });
      }
      assert.equal((await under.gate.health()).state, "exited");
    });

    test("has one session at a time that writes its input", async () => {
      await using under = startKeep(backend, carrier);
      await deploy(under, encodeCatGuest());
      const first = await open(under);
      const writing = first.attach({ input: true });
      writing.result.catch(() => {});
      await writing.attached;
      const second = (await open(under)).attach({ input: true });
      await assert.rejects(second.result, {
        code: "session/refused",
        message: /another session writes it/,
      });
      const watching = (await open(under)).attach({ input: false });
      writing.stdin.end("seen by both");
      assert.equal((await readAll(watching.stdout)).toString(), "seen by both");
      await watching.result;
    });

    test("never waits for readers: the oldest output is dropped, and how much is told", async () => {
      await using under = startKeep(backend, carrier);
      await deploy(under, encodeCatGuest());
      const total = 8 * JOURNAL_BYTES;
      const writer = await open(under);
      const writing = writer.attach({ input: true });
      writing.result.catch(() => {});
      let echoed = 0;
      const echo = (async () => {
        for await (const piece of writing.stdout) {
          echoed += piece.length;
          if (echoed === total) return;
        }
      })();
      for (let sent = 0; sent < total; sent += JOURNAL_BYTES) {
        const piece = Buffer.alloc(JOURNAL_BYTES, sent / JOURNAL_BYTES);
        if (!writing.stdin.write(piece)) {
          await new Promise((done) => writing.stdin.once("drain", done));
        }
      }
      await echo;
      writer.close();
      const run = (await open(under)).attach({ input: true });
      run.stdin.end("the end");
      const { lost } = await run.attached;
      const rest = await readAll(run.stdout);
      await run.result;
      assert.ok(rest.length <= JOURNAL_BYTES, `${rest.length} octets were held`);
      assert.equal(lost + rest.length, total + "the end".length);
      assert.equal(rest.subarray(-7).toString(), "the end");
    });

    test("is stopped by its owner", async () => {
      await using under = startKeep(backend, carrier);
      await deploy(under, encodeSpinGuest());
      const run = (await open(under)).attach({ input: false });
      run.stop("kill");
      run.stdout.resume();
      assert.deepEqual((await run.result).outcome, { kind: "stopped", how: "kill" });
    });

    test("is told to who deploys it when it cannot run", async () => {
      await using under = startKeep(backend, carrier);
      const session = await open(under);
      const provision = { ...createProvision(Buffer.from("no module")), detached: true };
      await assert.rejects(session.provision(provision).started, { code: "workload/invalid" });
    });

    test("is not there before it was deployed", async () => {
      await using under = startKeep(backend, carrier);
      const run = (await open(under)).attach({ input: false });
      await assert.rejects(run.result, { code: "session/refused" });
    });
  });
}
