/** A Keep belongs to who provisioned it; others may ask what it is, and nothing else. */
import assert from "node:assert/strict";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createFiles } from "../command.ts";
import { GUESTS } from "../guest.ts";
import { startAgent, useAgent } from "./agent.ts";

const LIMIT = { timeout: 120_000 };

test("a second owner cannot attach, read, stop or provision, but may ask", LIMIT, async (t) => {
  const owner = await startAgent(t);
  const other = useAgent(owner.address, createFiles(t, {}));
  const root = createFiles(t, { "cat.wasm": GUESTS.cat() });
  const deploy = ["deploy", "--insecure", "-d", "--name", "mine", join(root, "cat.wasm")];
  assert.equal((await owner.run(deploy)).code, 0);
  for (const args of [["attach"], ["attach", "--no-stdin"], ["logs"], ["stop"]]) {
    const refused = await other.run([...args, "--insecure", "mine"]);
    assert.equal(refused.code, 120, `${args}: ${refused.stderr}`);
    assert.match(
      refused.stderr,
      /found a Keep with the owner [0-9a-f]{64}, wanted [0-9a-f]{64}; open the session with the key/,
    );
  }
  assert.match((await owner.run(["ps"])).out, /mine +running/);
  const asked = await other.run(["attest", "--insecure", "--json", "mine"]);
  assert.equal(asked.code, 0, asked.stderr);
  const mine = await owner.run(["attest", "--insecure", "mine"]);
  assert.match(mine.out, new RegExp(`${JSON.parse(asked.out).owner} \\(you\\)`));
  const theirs = await other.run(["attest", "--insecure", "mine"]);
  assert.doesNotMatch(theirs.out, /\(you\)/);
  const key = join(owner.env["XDG_CONFIG_HOME"]!, "donjon/owner.pem");
  const moved = await other.run(["stop", "--insecure", "--identity", key, "mine"]);
  assert.equal(moved.code, 0, moved.stderr);
});

test(
  "another of the owner's own Keeps under a name is refused by what was deployed from here",
  LIMIT,
  async (t) => {
    const agent = await startAgent(t);
    const root = createFiles(t, { "cat.wasm": GUESTS.cat(), "spin.wasm": GUESTS.spin() });
    const ids = [];
    for (const [name, file] of [
      ["one", "cat.wasm"],
      ["two", "spin.wasm"],
    ] as const) {
      const deploy = ["deploy", "--insecure", "-q", "-d", "--json", "--name", name];
      const { out } = await agent.run([...deploy, join(root, file)]);
      ids.push(JSON.parse(out).deployed.keep as string);
    }
    const file = (id: string) =>
      join(agent.env["HOME"]!, ".local/state/donjon/receipts", `${id}.json`);
    const [one, two] = ids.map((id) => JSON.parse(readFileSync(file(id), "utf8")));
    assert.equal(statSync(file(ids[0]!)).mode & 0o777, 0o600);
    assert.equal((await agent.run(["logs", "--insecure", "one"])).code, 0);
    // The host calls 'one' what was deployed as 'two'.
    writeFileSync(file(ids[0]!), JSON.stringify({ ...one, name: "two", at: two.at + 1 }));
    for (const command of ["attach", "logs", "stop", "attest"]) {
      const swapped = await agent.run([command, "--insecure", "two"]);
      assert.equal(swapped.code, 120, swapped.stderr);
      assert.match(
        swapped.stderr,
        new RegExp(`found ${ids[1]} under the name 'two', wanted ${ids[0]}`),
      );
    }
    // Or it has another workload run in the Keep of that id.
    writeFileSync(file(ids[0]!), JSON.stringify({ ...one, workload: two.workload }));
    const other = await agent.run(["logs", "--insecure", "one"]);
    assert.equal(other.code, 120);
    assert.match(other.stderr, /found a Keep with the workload [0-9a-f]{64}, wanted [0-9a-f]{64}/);
    const asked = await agent.run(["attest", "--insecure", "one"]);
    assert.equal(asked.code, 120);
    assert.match(asked.out, /because +session\/other/);
    writeFileSync(file(ids[0]!), "no receipt");
    assert.equal((await agent.run(["logs", "--insecure", "one"])).code, 0);
    assert.equal((await agent.run(["rm", "-f", "two"])).code, 0);
    assert.ok(!existsSync(file(ids[1]!)));
  },
);

test("the owner's key is made once, for nobody else to read", LIMIT, async (t) => {
  const agent = await startAgent(t);
  const root = createFiles(t, { "a.wasm": GUESTS.exit(0) });
  const deploy = ["deploy", "--insecure", "-q", join(root, "a.wasm")];
  const both = await Promise.all([agent.run(deploy), agent.run(deploy)]);
  for (const { code, stderr } of both) assert.equal(code, 0, stderr);
  const path = join(agent.env["XDG_CONFIG_HOME"]!, "donjon/owner.pem");
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(statSync(join(path, "..")).mode & 0o777, 0o700);
  const before = statSync(path);
  assert.equal((await agent.run(deploy)).code, 0);
  assert.equal(statSync(path).ino, before.ino);
});

test("a key that cannot be used is refused with what to do", LIMIT, async (t) => {
  const agent = await startAgent(t);
  const root = createFiles(t, { "a.wasm": GUESTS.exit(0), "garbage.pem": "no key\n" });
  const { generateKeyPairSync } = await import("node:crypto");
  const write = (name: string, text: string) =>
    writeFileSync(join(root, name), text, { mode: 0o600 });
  const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey;
  write("p384.pem", p384.export({ type: "pkcs8", format: "pem" }).toString());
  const ed = generateKeyPairSync("ed25519").privateKey;
  write("ed.pem", ed.export({ type: "pkcs8", format: "pem" }).toString());
  const good = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  write("good.pem", good.export({ type: "sec1", format: "pem" }).toString());
  chmodSync(join(root, "garbage.pem"), 0o600);
  copyFileSync(join(root, "good.pem"), join(root, "open.pem"));
  chmodSync(join(root, "open.pem"), 0o640);
  const cases: [string, RegExp][] = [
    ["garbage.pem", /holds no private key.*openssl genpkey/],
    ["none.pem", /cannot be read.*openssl genpkey/],
    ["open.pem", /others may read or change it \(mode 640\); try: chmod 600/],
    ["p384.pem", /ec key on secp384r1, wanted an ec key on P-256/],
    ["ed.pem", /ed25519 key, wanted an ec key on P-256/],
  ];
  for (const [name, says] of cases) {
    const args = ["deploy", "--insecure", "--identity", join(root, name), join(root, "a.wasm")];
    const ended = await agent.run(args);
    assert.equal(ended.code, 125, ended.stderr);
    assert.match(ended.stderr, says);
  }
  const ok = ["deploy", "--insecure", "--identity", join(root, "good.pem"), join(root, "a.wasm")];
  const ended = await agent.run(ok);
  assert.equal(ended.code, 0, ended.stderr);
});
