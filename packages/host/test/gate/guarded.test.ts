/** The gate of a Keep whose caller has network rules. */
import assert from "node:assert/strict";
import type { LookupAddress } from "node:dns";
import { createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { openGate } from "../../src/gate/gate.ts";
import { createNetworkGuard, type NetworkRefusal } from "../../src/network/guard.ts";
import { DEFAULT_NETWORK_RULES } from "../../src/network/rules.ts";
import { ask, callHost, createFakeKeep } from "./fake-keep.ts";

interface Service {
  readonly port: number;
  readonly calls: () => number;
}

/** A service of the host's own that a Keep could reach. */
async function startService(t: TestContext): Promise<Service> {
  let calls = 0;
  const server = createServer((socket) => {
    calls += 1;
    socket.on("error", () => {}).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  return { port, calls: () => calls };
}

interface Guarded {
  ask(target: string): Promise<string>;
  readonly refusals: NetworkRefusal[];
}

/** @param answers of the resolver, one for each time that it is asked */
function openGuarded(
  t: TestContext,
  connect: readonly string[],
  connections: readonly string[],
  answers: readonly string[] = [],
): Guarded {
  const left = [...answers];
  const refusals: NetworkRefusal[] = [];
  const guard = createNetworkGuard(
    { ...DEFAULT_NETWORK_RULES, connect },
    {
      onRefused: (refusal) => refusals.push(refusal),
      resolve: async (): Promise<LookupAddress[]> => [{ address: left.shift()!, family: 4 }],
    },
  );
  const fake = createFakeKeep();
  const gate = openGate(fake.started, { onConsole: () => {} });
  gate.allowConnections(connections, guard);
  const pipe = callHost(fake);
  t.after(async () => {
    pipe.close();
    await gate.close();
  });
  return { ask: (target) => ask(pipe, target), refusals };
}

test("a connection that the manifest grants is refused without a rule, and made with one", async (t) => {
  const { port, calls } = await startService(t);
  const forms = [
    `127.0.0.1:${port}`,
    `[::ffff:127.0.0.1]:${port}`,
    `[::ffff:7f00:1]:${port}`,
    `0.0.0.0:${port}`,
  ];
  const without = openGuarded(t, ["*:*"], forms);
  for (const form of forms)
    assert.match(
      await without.ask(form),
      /may not connect to .* address, and no rule allows it; .*--allow-connect '/,
    );
  assert.deepEqual(
    without.refusals.map(({ reason }) => reason),
    ["loopback", "loopback", "loopback", "unspecified"],
  );
  assert.equal(calls(), 0);
  const allowed = openGuarded(t, [`127.0.0.0/8:${port}`], forms);
  assert.equal(await allowed.ask(forms[0]!), "accepted");
  assert.equal(calls(), 1);
});

test("a name that leads to loopback is refused, and nobody is called", async (t) => {
  const { port, calls } = await startService(t);
  const target = `service.example:${port}`;
  const guarded = openGuarded(t, ["*:*"], [target], ["127.0.0.1"]);
  assert.match(await guarded.ask(target), /no rule allows what the name leads to/);
  assert.deepEqual(guarded.refusals, [{ target, addresses: ["127.0.0.1"], reason: "loopback" }]);
  assert.equal(calls(), 0);
});

test("what a name led to when it was judged is what is connected to", async (t) => {
  const { port, calls } = await startService(t);
  const target = `service.example:${port}`;
  // Asked a second time the resolver would name an address where nobody is.
  const guarded = openGuarded(t, [`127.0.0.1:${port}`], [target], ["127.0.0.1", "127.0.0.2"]);
  assert.equal(await guarded.ask(target), "accepted");
  assert.equal(calls(), 1);
  assert.match(await guarded.ask(target), /no rule allows what the name leads to/);
  assert.equal(calls(), 1);
});

test("a name that cannot be resolved is not reached, which is no refusal", async (t) => {
  const refusals: NetworkRefusal[] = [];
  const guard = createNetworkGuard(DEFAULT_NETWORK_RULES, {
    onRefused: (refusal) => refusals.push(refusal),
    resolve: () => Promise.reject(new Error("getaddrinfo ENOTFOUND gone.example")),
  });
  const fake = createFakeKeep();
  const gate = openGate(fake.started, { onConsole: () => {} });
  gate.allowConnections(["gone.example:80"], guard);
  const pipe = callHost(fake);
  t.after(() => pipe.close());
  assert.match(await ask(pipe, "gone.example:80"), /ENOTFOUND/);
  assert.deepEqual(refusals, []);
});
