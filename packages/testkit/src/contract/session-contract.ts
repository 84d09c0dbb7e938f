/** What a session with every backend's Keep must do. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import type { Backend, KeepEnd } from "@donjon/host/backend/backend";
import { BARE, type Carrier } from "./carrier.ts";
import { encodeCatGuest, encodeHelloGuest, encodeSpinGuest, encodeTrapGuest } from "./guests.ts";
import { createProvision, readAll, sha256Hex, startCarriedRun, startKeep } from "./keep-fixture.ts";

export interface SessionContractOptions {
  /** Octets that go through stdin to stdout. */
  readonly streamBytes: number;
  /** How the host sees a Keep that ends itself. */
  readonly ending: KeepEnd;
  /** Tests at once. */
  readonly concurrency: number;
  /** What carries the sessions; `BARE` unless said. */
  readonly carrier?: Carrier;
}

export function testSessionContract(backend: Backend, options: SessionContractOptions): void {
  const { ending, concurrency, carrier = BARE } = options;
  describe(`${carrier.name} session with a ${backend.name} Keep`, { concurrency }, () => {
    test("runs a workload and tells what was provisioned, its output and its exit code", async () => {
      await using under = startKeep(backend, carrier);
      const workload = encodeHelloGuest("hello\n", 42);
      const { run } = await startCarriedRun(under, workload);
      assert.equal((await readAll(run.stdout)).toString(), "hello\n");
      assert.equal((await readAll(run.stderr)).length, 0);
      const { outcome, usage, changes } = await run.result;
      assert.deepEqual(outcome, { kind: "exit", code: 42 });
      assert.deepEqual(changes, []);
      assert.ok(usage.wallMs > 0);
      assert.deepEqual(await run.provisioned, {
        type: "provisioned",
        manifest: sha256Hex(createProvision(workload).manifest),
        workload: sha256Hex(workload),
      });
      assert.ok((await run.started).has("compile"));
      assert.deepEqual(await under.keep.ended, ending);
    });

    test("carries stdin to stdout whole", async () => {
      await using under = startKeep(backend, carrier);
      const { run } = await startCarriedRun(under, encodeCatGuest());
      const sent = createHash("sha256");
      const chunk = randomBytes(1 << 20);
      const feed = async () => {
        for (let left = options.streamBytes; left > 0; left -= chunk.length) {
          const piece = chunk.subarray(0, Math.min(left, chunk.length));
          sent.update(piece);
          if (!run.stdin.write(piece)) await new Promise((done) => run.stdin.once("drain", done));
        }
        run.stdin.end();
      };
      const got = createHash("sha256");
      const read = async () => {
        for await (const piece of run.stdout) got.update(piece);
      };
      await Promise.all([feed(), read(), run.result]);
      assert.equal(got.digest("hex"), sent.digest("hex"));
    });

    test("slows the writer when nobody reads, and loses nothing when somebody does", async () => {
      await using under = startKeep(backend, carrier);
      const { run } = await startCarriedRun(under, encodeCatGuest());
      const total = options.streamBytes;
      const sent = createHash("sha256");
      const received = createHash("sha256");
      let accepted = 0;
      // Fills until nothing moves any more: a write stays pending although all others were taken.
      const feed = async () => {
        for (let piece = randomBytes(1 << 16); accepted < total; accepted += piece.length) {
          piece = randomBytes(1 << 16);
          sent.update(piece);
          if (!run.stdin.write(piece)) await new Promise((done) => run.stdin.once("drain", done));
        }
        run.stdin.end();
      };
      const feeding = feed();
      let before = -1;
      while (before !== accepted) {
        before = accepted;
        // Two round trips without progress in between: everything on the way is full.
        for (let round = 0; round < 20; round++) await under.gate.health();
      }
      assert.ok(accepted < 24 << 20, `${accepted} octets were taken while nobody read`);
      let got = 0;
      for await (const bytes of run.stdout) {
        got += bytes.length;
        received.update(bytes);
      }
      await feeding;
      assert.equal(got, total);
      assert.equal(received.digest("hex"), sent.digest("hex"));
      await run.result;
    });

    test("keeps the end of stdin apart from the end of the session", async () => {
      await using under = startKeep(backend, carrier);
      const { run } = await startCarriedRun(under, encodeCatGuest());
      run.stdin.end("last words");
      assert.equal((await readAll(run.stdout)).toString(), "last words");
      assert.deepEqual((await run.result).outcome, { kind: "exit", code: 0 });
    });

    test("tells of a trap", async () => {
      await using under = startKeep(backend, carrier);
      const { run } = await startCarriedRun(under, encodeTrapGuest());
      const { outcome } = await run.result;
      assert.equal(outcome.kind, "trap");
      assert.match(outcome.kind === "trap" ? outcome.reason : "", /unreachable/);
    });

    test("stops a workload that never calls out", async () => {
      await using under = startKeep(backend, carrier);
      const { run } = await startCarriedRun(under, encodeSpinGuest());
      await run.provisioned;
      run.stop("kill");
      assert.deepEqual((await run.result).outcome, { kind: "stopped", how: "kill" });
    });

    test("ends the Keep when the owner goes while the workload spins", async () => {
      await using under = startKeep(backend, carrier);
      const { run, session } = await startCarriedRun(under, encodeSpinGuest());
      await run.provisioned;
      session.close();
      await assert.rejects(run.result, { code: "session/closed" });
      assert.deepEqual(await under.keep.ended, ending);
    });

    test("reports a killed Keep at once", async () => {
      await using under = startKeep(backend, carrier);
      const { run } = await startCarriedRun(under, encodeSpinGuest());
      await run.provisioned;
      under.keep.kill();
      await assert.rejects(run.result, { code: "session/closed" });
      assert.equal((await under.keep.ended).kind, "killed");
    });

    test("refuses a workload whose digest is not the manifest's", async () => {
      await using under = startKeep(backend, carrier);
      const provision = createProvision(encodeHelloGuest("a"));
      const run = (await under.open()).provision({
        ...provision,
        workload: encodeHelloGuest("b"),
      });
      await assert.rejects(run.result, { code: "manifest/digest" });
    });

    test("refuses secrets and trees that the manifest does not name, and misses those it does", async () => {
      const more = '[[secrets]]\nname = "key"\nenv = "KEY"\n';
      const workload = encodeHelloGuest("a");
      const cases = [
        { ...createProvision(workload), secrets: new Map([["key", Buffer.from("x")]]) },
        { ...createProvision(workload), trees: [{ guest: "/data", bytes: Buffer.from("x") }] },
        createProvision(workload, more),
      ];
      for (const provision of cases) {
        await using under = startKeep(backend, carrier);
        const run = (await under.open()).provision(provision);
        await assert.rejects(run.result, { code: "manifest/value" });
      }
    });

    test("refuses what is no manifest and what is no module", async () => {
      await using under = startKeep(backend, carrier);
      const provision = { ...createProvision(encodeTrapGuest()), manifest: Buffer.from("{") };
      const first = (await under.open()).provision(provision);
      await assert.rejects(first.result, { code: "manifest/syntax" });
      await using other = startKeep(backend, carrier);
      const { run } = await startCarriedRun(other, randomBytes(1000));
      await assert.rejects(run.result, { code: "workload/invalid" });
    });
  });
}
