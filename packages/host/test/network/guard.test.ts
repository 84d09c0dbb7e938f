import assert from "node:assert/strict";
import type { LookupAddress } from "node:dns";
import { test } from "node:test";
import type { NetworkRules } from "@donjon/protocol/agent/keep-record";
import fc from "fast-check";
import { parseIpAddress } from "../../src/network/address.ts";
import {
  createNetworkGuard,
  type NetworkGuard,
  type NetworkRefusal,
} from "../../src/network/guard.ts";
import { DEFAULT_NETWORK_RULES } from "../../src/network/rules.ts";

interface Guarded {
  readonly guard: NetworkGuard;
  readonly refusals: NetworkRefusal[];
  /** Names that were asked for. */
  readonly asked: string[];
  connects(host: string, port?: number): boolean;
  listens(host: string, port: number): boolean;
  /** What `connect` of `node:net` would be given. */
  resolve(host: string, port?: number): Promise<readonly string[]>;
}

const OWN = ["127.0.0.1", "8.8.4.4", "10.0.0.5"].map((text) => parseIpAddress(text)!);

function createGuard(
  rules: Partial<NetworkRules>,
  names: Readonly<Record<string, readonly string[]>> = {},
): Guarded {
  const refusals: NetworkRefusal[] = [];
  const asked: string[] = [];
  const guard = createNetworkGuard(
    { ...DEFAULT_NETWORK_RULES, ...rules },
    {
      onRefused: (refusal) => refusals.push(refusal),
      listOwn: () => OWN,
      resolve: async (host) => {
        asked.push(host);
        return (names[host] ?? []).map((address): LookupAddress => {
          return { address, family: address.includes(":") ? 6 : 4 };
        });
      },
    },
  );
  const allows = (check: () => void): boolean => {
    try {
      check();
      return true;
    } catch (error) {
      assert.equal((error as { code?: string }).code, "agent/forbidden", String(error));
      return false;
    }
  };
  return {
    guard,
    refusals,
    asked,
    connects: (host, port = 443) => allows(() => guard.checkConnection({ host, port })),
    listens: (host, port) => allows(() => guard.checkListener({ host, port })),
    resolve: (host, port = 443) =>
      new Promise((resolve, reject) => {
        guard.createLookup({ host, port })(host, { all: true }, (error, found) => {
          if (error === null) resolve((found as LookupAddress[]).map(({ address }) => address));
          else reject(error);
        });
      }),
  };
}

const PUBLIC = ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1"];
const SPECIAL = [
  "127.0.0.1",
  "127.8.8.8",
  "0.0.0.0",
  "::",
  "::1",
  "::ffff:127.0.0.1",
  "::ffff:7f00:1",
  "64:ff9b::127.0.0.1",
  "64:ff9b::a9fe:a9fe",
  "2002:7f00:1::",
  "10.1.2.3",
  "172.16.0.1",
  "192.168.1.1",
  "169.254.169.254",
  "::ffff:169.254.169.254",
  "168.63.129.16",
  "100.64.0.1",
  "224.0.0.1",
  "255.255.255.255",
  "fd00::1",
  "fe80::1",
  "ff02::1",
  "8.8.4.4",
];

test("without rules public addresses may be connected to, and no others", () => {
  const { connects, refusals } = createGuard({});
  for (const host of PUBLIC) assert.ok(connects(host), host);
  for (const host of SPECIAL) assert.ok(!connects(host), host);
  assert.equal(refusals.length, SPECIAL.length);
  assert.deepEqual(refusals[0], { target: "127.0.0.1:443", addresses: [], reason: "loopback" });
  assert.equal(refusals.at(-1)!.reason, "own");
});

test("without rules loopback may be listened on, at ports that anybody may bind", () => {
  const { listens } = createGuard({});
  for (const [host, port] of [
    ["127.0.0.1", 1024],
    ["127.0.0.2", 65_535],
    ["::1", 8080],
    ["::ffff:127.0.0.1", 8080],
    ["127.0.0.1", 0],
  ] as const)
    assert.ok(listens(host, port), `${host} ${port}`);
  for (const [host, port] of [
    ["127.0.0.1", 1023],
    ["127.0.0.1", 80],
    ["0.0.0.0", 8080],
    ["::", 8080],
    ["10.0.0.5", 8080],
    ["8.8.4.4", 8080],
    ["fe80::1%eth0", 8080],
    ["::ffff:0.0.0.0", 0],
  ] as const)
    assert.ok(!listens(host, port), `${host} ${port}`);
});

test("what stands for many hosts is public addresses: *, *.domain, and blocks wider than a special one", async () => {
  const names = { "a.example.com": ["127.0.0.1"], "b.example.com": ["1.1.1.1"] };
  const wide = {
    connect: ["*:*", "*.example.com:*", "0.0.0.0/0:*", "[::/0]:*", "126.0.0.0/7:*", "8.0.0.0/8:*"],
  };
  const { connects, resolve } = createGuard(wide, names);
  for (const host of SPECIAL) assert.ok(!connects(host), host);
  for (const host of PUBLIC) assert.ok(connects(host), host);
  await assert.rejects(resolve("a.example.com"), { code: "agent/forbidden" });
  assert.deepEqual(await resolve("b.example.com"), ["1.1.1.1"]);
});

test("a block that is special, or lies in a special one, is opened by its name", () => {
  for (const [rule, inside, outside] of [
    [
      "127.0.0.0/8:*",
      ["127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"],
      ["::1", "10.0.0.1", "1.1.1.1"],
    ],
    ["127.0.0.1:443", ["127.0.0.1"], ["127.0.0.2"]],
    ["10.1.0.0/16:*", ["10.1.2.3"], ["10.2.0.1"]],
    ["10.0.0.0/8:*", ["10.0.0.4"], ["10.0.0.5"]],
    ["10.0.0.5:*", ["10.0.0.5"], ["10.0.0.4"]],
    ["8.8.4.4:*", ["8.8.4.4"], ["8.8.4.5"]],
    ["169.254.169.254:*", ["169.254.169.254"], ["169.254.169.253"]],
    ["[fd00::/8]:*", ["fd00::1"], ["fc00::1", "::1"]],
    ["[::1]:*", ["::1"], ["127.0.0.1", "::ffff:127.0.0.1"]],
    ["1.1.1.0/24:*", ["1.1.1.1"], ["1.1.2.1"]],
  ] as const) {
    const { connects } = createGuard({ connect: [rule] });
    for (const host of inside) assert.ok(connects(host), `${rule} ${host}`);
    for (const host of outside) assert.ok(!connects(host), `${rule} ${host}`);
  }
});

test("a rule holds for its ports alone", () => {
  const { connects, listens } = createGuard({
    connect: ["127.0.0.1:8000-8010", "*:443"],
    listen: ["0.0.0.0:80", "127.0.0.1:9000-9010"],
  });
  assert.deepEqual(
    [7999, 8000, 8010, 8011].map((port) => connects("127.0.0.1", port)),
    [false, true, true, false],
  );
  assert.ok(connects("1.1.1.1", 443) && !connects("1.1.1.1", 80));
  assert.ok(listens("0.0.0.0", 80) && !listens("0.0.0.0", 81) && !listens("127.0.0.1", 80));
  assert.ok(
    listens("127.0.0.1", 9005) && !listens("127.0.0.1", 0),
    "any free port is not one of a few",
  );
  assert.ok(createGuard({ listen: ["*:*"] }).listens("::", 0));
});

test("a name is judged by what it leads to, and only what may be connected to is given on", async () => {
  const names = {
    "rebind.test": ["127.0.0.1"],
    "mapped.test": ["::ffff:127.0.0.1"],
    "mixed.test": ["10.0.0.1", "1.1.1.1", "::1"],
    "meta.test": ["169.254.169.254", "fd00:ec2::254"],
    "127.1": ["127.0.0.1"],
    "localhost.": ["127.0.0.1"],
    "nothing.test": [],
  };
  const { guard, resolve, refusals, asked } = createGuard({}, names);
  for (const host of [
    "rebind.test",
    "mapped.test",
    "meta.test",
    "127.1",
    "localhost.",
    "nothing.test",
  ]) {
    guard.checkConnection({ host, port: 443 });
    await assert.rejects(resolve(host), { code: "agent/forbidden" }, host);
  }
  assert.deepEqual(refusals[0], {
    target: "rebind.test:443",
    addresses: ["127.0.0.1"],
    reason: "loopback",
  });
  assert.deepEqual(await resolve("mixed.test"), ["1.1.1.1"]);
  assert.equal(asked.length, 7, "each name is asked for once");
});

test("a rule with a name opens whatever that name leads to, and no other name", async () => {
  const names = {
    "db.internal": ["10.0.0.1"],
    "localhost.": ["::1"],
    "xdb.internal": ["10.0.0.1"],
  };
  const { resolve, connects } = createGuard(
    { connect: ["DB.internal:5432", "localhost:5432"] },
    names,
  );
  assert.deepEqual(await resolve("db.internal", 5432), ["10.0.0.1"]);
  assert.deepEqual(await resolve("localhost.", 5432), ["::1"]);
  await assert.rejects(resolve("db.internal", 5433), { code: "agent/forbidden" });
  await assert.rejects(resolve("xdb.internal", 5432), { code: "agent/forbidden" });
  assert.ok(!connects("10.0.0.1", 5432), "the address itself has no name");
});

test("*.domain is for names below the domain, not for itself and not for those that end like it", async () => {
  const names = Object.fromEntries(
    ["a.b.example.com", "example.com", "badexample.com"].map((name) => [name, ["1.1.1.1"]]),
  );
  const { resolve } = createGuard({ connect: ["*.example.com:443"] }, names);
  assert.deepEqual(await resolve("a.b.example.com"), ["1.1.1.1"]);
  await assert.rejects(resolve("example.com"), { code: "agent/forbidden" });
  await assert.rejects(resolve("badexample.com"), { code: "agent/forbidden" });
});

test("a listener's name is bound as the address that was judged", async () => {
  const names = { "lo.test": ["10.0.0.5", "127.0.0.1"], "out.test": ["10.0.0.5"] };
  const { guard } = createGuard({}, names);
  assert.equal(await guard.resolveListener({ host: "lo.test", port: 8080 }), "127.0.0.1");
  assert.equal(await guard.resolveListener({ host: "127.0.0.1", port: 8080 }), "127.0.0.1");
  await assert.rejects(guard.resolveListener({ host: "out.test", port: 8080 }), {
    code: "agent/forbidden",
  });
  await assert.rejects(guard.resolveListener({ host: "0.0.0.0", port: 8080 }), {
    code: "agent/forbidden",
  });
  const lost = createNetworkGuard(DEFAULT_NETWORK_RULES, {
    onRefused: () => {},
    resolve: () => Promise.reject(Object.assign(new Error("getaddrinfo"), { code: "ENOTFOUND" })),
  });
  await assert.rejects(lost.resolveListener({ host: "gone.test", port: 80 }), {
    code: "gate/refused",
    message: /cannot listen on gone\.test:80: no host has this name; give an address/,
  });
});

test("a refusal says which rule is missing, and the caller nothing of where a name leads", async () => {
  const { guard, resolve } = createGuard({}, { "db.internal": ["10.9.8.7"] });
  const says = (host: string, port: number) => {
    try {
      guard.checkListener({ host, port });
    } catch (error) {
      return (error as Error).message;
    }
    return "";
  };
  assert.match(
    says("0.0.0.0", 80),
    /may not listen on 0\.0\.0\.0:80: no rule allows it.*--allow-listen '0\.0\.0\.0:80'/,
  );
  assert.match(says("::", 0), /--allow-listen '\[::\]:\*'/);
  assert.match(says("fe80::1%eth0", 80), /--allow-listen '\[fe80::1\]:80'/);
  assert.throws(() => guard.checkConnection({ host: "::1", port: 5432 }), {
    message:
      /may not connect to \[::1\]:5432: it is a loopback address, and no rule allows it.*--allow-connect '\[::1\]:5432'/,
  });
  await assert.rejects(resolve("db.internal", 5432), (error: Error) => {
    assert.match(
      error.message,
      /connect to db\.internal:5432.*--allow-connect 'db\.internal:5432'/,
    );
    assert.doesNotMatch(error.message, /10\.9\.8\.7|private/);
    return true;
  });
});

test("the rule that a refusal names opens what was refused", () => {
  const hosts = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom(...SPECIAL));
  fc.assert(
    fc.property(hosts, fc.integer({ min: 1, max: 65_535 }), (host, port) => {
      for (const act of ["checkConnection", "checkListener"] as const) {
        try {
          createGuard({ connect: [], listen: [] }).guard[act]({ host, port });
          assert.fail("nothing is allowed");
        } catch (error) {
          const [, option, rule = ""] = /--allow-(connect|listen) '([^']+)'/.exec(
            (error as Error).message,
          )!;
          createGuard({ [option!]: [rule] }).guard[act]({ host, port });
        }
      }
    }),
  );
});
