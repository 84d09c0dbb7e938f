/** What only attested sessions do: prove, own, and show others what runs. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createClientIdentity } from "@donjon/client/attested/identity";
import { openAttestedSession } from "@donjon/client/attested/open";
import type { Backend } from "@donjon/host/backend/backend";
import { MAX_SESSIONS } from "@donjon/protocol/limits";
import type { SimulatedCarrier } from "./carrier.ts";
import { encodeCatGuest, encodeHelloGuest } from "./guests.ts";
import { createProvision, readAll, sha256Hex, startKeep } from "./keep-fixture.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** @param concurrency tests at once */
export function testAttestedContract(
  backend: Backend,
  carrier: SimulatedCarrier,
  concurrency = 1,
): void {
  describe(`attested session with a ${backend.name} Keep, only`, { concurrency }, () => {
    test("states nothing of manifest, workload and owner before provisioning, and all of them after", async () => {
      await using under = startKeep(backend, carrier);
      const session = await carrier.openAs(under.keep, under.gate, carrier.identity, "new");
      const { manifest, workload, owner } = session.statement;
      assert.deepEqual(
        { manifest, workload, owner },
        { manifest: null, workload: null, owner: null },
      );
      const provision = createProvision(encodeCatGuest());
      const run = session.provision(provision);
      await run.started;
      const running = await session.attest();
      assert.equal(running.manifest, sha256Hex(provision.manifest));
      assert.equal(running.workload, sha256Hex(provision.workload));
      assert.equal(running.owner, hex(carrier.identity.digest));
      assert.notDeepEqual(running.evidence.cmw, session.statement.evidence.cmw);
      run.stdin.end("still working");
      assert.equal((await readAll(run.stdout)).toString(), "still working");
      assert.deepEqual((await run.result).outcome, { kind: "exit", code: 0 });
    });

    test("shows anybody what runs, but lets nobody else provision, attach or stop", async () => {
      await using under = startKeep(backend, carrier);
      const owner = await carrier.openAs(under.keep, under.gate, carrier.identity, "new");
      const run = owner.provision({ ...createProvision(encodeCatGuest()), detached: true });
      await run.started;
      const stranger = createClientIdentity(Date.now());
      const open = () =>
        carrier.openAs(under.keep, under.gate, stranger, { owner: hex(carrier.identity.digest) });
      const looking = await open();
      assert.equal(looking.statement.manifest, (await run.provisioned).manifest);
      const provisioning = looking.provision(createProvision(encodeHelloGuest("mine now")));
      await assert.rejects(provisioning.result, {
        code: "session/refused",
        message: /start another/,
      });
      const attaching = (await open()).attach({ input: false });
      await assert.rejects(attaching.result, {
        code: "session/refused",
        message: /only the owner/,
      });
      const stopping = await open();
      const attached = stopping.attach({ input: false });
      attached.stop("kill");
      await assert.rejects(attached.result, { code: "session/refused" });
      assert.equal((await under.gate.health()).state, "running");
    });

    test("refuses a Keep that somebody else provisioned first", async () => {
      await using under = startKeep(backend, carrier);
      const thief = createClientIdentity(Date.now());
      const first = await carrier.openAs(under.keep, under.gate, thief, "new");
      await first.provision({ ...createProvision(encodeCatGuest()), detached: true }).started;
      await assert.rejects(carrier.open(under.keep, under.gate), {
        code: "evidence/refused",
        reason: "session/claimed",
      });
    });

    test("refuses a Keep with another manifest, workload or owner than was asked for", async () => {
      await using under = startKeep(backend, carrier);
      const first = await carrier.openAs(under.keep, under.gate, carrier.identity, "new");
      await first.provision({ ...createProvision(encodeCatGuest()), detached: true }).started;
      for (const field of ["manifest", "workload", "owner"]) {
        const expect = { [field]: "00".repeat(32) };
        await assert.rejects(carrier.openAs(under.keep, under.gate, carrier.identity, expect), {
          code: "evidence/refused",
          reason: "session/other",
        });
      }
    });

    test("keeps evidence for the owner when the manifest says so", async () => {
      await using under = startKeep(backend, carrier);
      const owner = await carrier.openAs(under.keep, under.gate, carrier.identity, "new");
      const provision = createProvision(encodeCatGuest(), '[sessions]\nattest = "owner"\n');
      await owner.provision({ ...provision, detached: true }).started;
      await owner.attest();
      const stranger = createClientIdentity(Date.now());
      await assert.rejects(carrier.openAs(under.keep, under.gate, stranger, "any"), {
        code: "session/refused",
        message: /only the owner of this Keep may ask for evidence/,
      });
    });

    test("has no bare session for whom an attested one owns, and the other way round", async () => {
      await using under = startKeep(backend, carrier);
      const owner = await carrier.openAs(under.keep, under.gate, carrier.identity, "new");
      await owner.provision({ ...createProvision(encodeCatGuest()), detached: true }).started;
      const { openSession } = await import("@donjon/client/session");
      const bare = openSession(under.gate.openBareSession());
      await assert.rejects(bare.attach({ input: false }).result, { code: "session/refused" });
      await assert.rejects(
        openSession(under.gate.openBareSession()).askEvidence(new Uint8Array(32)),
        {
          code: "session/refused",
          message: /evidence is bound to TLS/,
        },
      );
    });

    test("gives up on a host that holds evidence back, when the time is over or the caller says so", async () => {
      const silent = { ...carrier, createSource: () => () => new Promise<never>(() => {}) };
      await using under = startKeep(backend, silent);
      const verify = await carrier.createVerifier(under.keep);
      const options = { identity: carrier.identity, verify, expect: "new" } as const;
      await assert.rejects(
        openAttestedSession(under.gate.openSession(), { ...options, timeoutMs: 200 }),
        { code: "session/timeout" },
      );
      await assert.rejects(
        openAttestedSession(under.gate.openSession(), {
          ...options,
          signal: AbortSignal.abort(new Error("enough")),
        }),
        { message: "enough" },
      );
    });

    test("says so when the host simulates no evidence", async () => {
      await using under = startKeep(backend);
      await assert.rejects(carrier.open(under.keep, under.gate), {
        code: "keep/state",
        message: /the platform gives no evidence: this host simulates no evidence/,
      });
    });

    test("refuses evidence of another image", async () => {
      await using under = startKeep(backend, carrier);
      const wrong = {
        ...under.keep,
        measure: async () => ({
          ...(await under.keep.measure()),
          measurement: new Uint8Array((await under.keep.measure()).measurement.length),
        }),
      };
      await assert.rejects(carrier.open(wrong, under.gate), {
        code: "evidence/refused",
        reason: "policy/measurement",
      });
    });

    test("has a bounded number of sessions, and tells who comes too late", async () => {
      await using under = startKeep(backend, carrier);
      const idle = Array.from({ length: MAX_SESSIONS }, () =>
        under.gate.openSession().on("error", () => {}),
      );
      await under.gate.health();
      await assert.rejects(carrier.open(under.keep, under.gate), { code: "gate/refused" });
      for (const stream of idle) stream.destroy();
      await under.gate.health();
      await carrier.open(under.keep, under.gate);
    });
  });
}
