import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { connectAgent } from "@donjon/client/agent/connect";
import { DONJON, execute, type Finished } from "../../../../tests/support/keep.ts";
import { until } from "../../../../tests/support/processes.ts";
import { makeState, startAgent } from "./start-agent.ts";

test("SIGTERM stops the agent and leaves its Keeps, which the next one finds", async (t) => {
  const state = await makeState(t);
  const first = await startAgent(t, state);
  const client = connectAgent(first.address);
  const keep = await client.createKeep({ name: "web" });
  assert.equal(await first.end("SIGTERM"), 0);
  const events = first.lines().map(({ event }) => event);
  assert.deepEqual(events.slice(-2), ["agent stops", "agent stopped"]);
  const second = await startAgent(t, state, "--end-keeps");
  const found = await client.getKeep("web");
  assert.deepEqual([found.id, found.state, found.health], [keep.id, "running", "new"]);
  assert.equal(await second.end("SIGINT"), 0);
});

test("a pooled Keep outlives a killed agent, and the next one hands it out", async (t) => {
  const state = await makeState(t);
  const first = await startAgent(t, state, "--pool", "1");
  const folders = join(state, "agent", "keeps");
  const { readdirSync } = await import("node:fs");
  const id = await until("the pool has a Keep that answers", () =>
    readdirSync(folders).find((name) =>
      statSync(join(folders, name, "warden.sock"), { throwIfNoEntry: false }),
    ),
  );
  // The row follows the socket: a Keep that is only half known would be made again.
  await until("the agent says so", async () =>
    (await fetchMetrics(first.address)).includes(
      'donjon_keeps{state="pooled",backend="process"} 1',
    ),
  );
  await first.end("SIGKILL");
  const second = await startAgent(t, state, "--pool", "1", "--end-keeps");
  assert.equal((await connectAgent(second.address).createKeep({})).id, id);
  assert.equal(await second.end("SIGTERM"), 0);
});

async function fetchMetrics(address: string): Promise<string> {
  const { request } = await import("node:http");
  return new Promise((resolve, reject) => {
    const socketPath = address.slice("unix:".length);
    const sent = request({ socketPath, path: "/metrics", agent: false }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      answer.on("end", () => resolve(text));
    });
    sent.on("error", reject).end();
  });
}

test("a second agent on the same state is refused with what to do", async (t) => {
  const state = await makeState(t);
  await startAgent(t, state);
  const other = await execute(DONJON, ["agent", "--state", join(state, "agent"), "--json"]);
  assert.equal(other.code, 125);
  const { error } = JSON.parse(other.stderr.trimEnd().split("\n").at(-1)!);
  assert.equal(error.code, "agent/conflict");
  assert.match(error.message, /another agent uses the state.*--state DIR/);
});

test("tokens are made, listed and taken away beside a running agent", async (t) => {
  const state = await makeState(t);
  const agent = await startAgent(t, state, "--listen", "http://127.0.0.1:0");
  const token = (...args: string[]): Promise<Finished> =>
    execute(DONJON, ["agent", "token", ...args, "--state", join(state, "agent")]);
  const made = await token("add", "alice", "--max-keeps", "2", "--max-memory", "1GiB");
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stdout, /^donjon_[0-9a-f]{16}_[A-Za-z0-9_-]{43}\n$/);
  assert.equal((await token("add", "alice")).code, 125);
  const wrong = await token("add", "user:0");
  assert.match(wrong.stderr, /is no caller's name/);
  assert.match(
    (await token("list")).stdout,
    /^alice +user +\d{4}-\d\d-\d\d +2 Keeps, 1 GiB memory +\*:\* +127\.0\.0\.0\/8:1024-65535, \[::1\]:1024-65535$/m,
  );
  const { tokens } = JSON.parse((await token("list", "--json")).stdout);
  assert.equal(tokens[0].limits.maxKeeps, 2);
  assert.ok(!JSON.stringify(tokens).includes(made.stdout.trim().split("_")[2]!));

  const listening = agent.lines().find(({ event }) => event === "agent listens")!;
  const address = String(listening["addresses"]).split(" ")[1]!;
  const alice = connectAgent(address, { token: made.stdout.trim() });
  assert.deepEqual(await alice.listKeeps(), []);
  assert.equal((await token("remove", "alice")).code, 0);
  await assert.rejects(alice.listKeeps(), { code: "agent/unauthorized" });
  assert.equal((await token("remove", "alice")).code, 125);
});

test("network rules of a token are read, kept and listed", async (t) => {
  const state = await makeState(t);
  const token = (...args: string[]): Promise<Finished> =>
    execute(DONJON, ["agent", "token", ...args, "--state", join(state, "agent")]);
  const connect = ["*.example.com:443", "10.0.0.0/8:*", "db.internal:5432", "[::1]:80"];
  const options = connect.flatMap((rule) => ["--allow-connect", rule]);
  const made = await token("add", "bob", ...options, "--allow-listen", "none", "--json");
  assert.equal(made.code, 0, made.stderr);
  assert.deepEqual(JSON.parse(made.stdout).network, { connect, listen: [] });
  const { tokens } = JSON.parse((await token("list", "--json")).stdout);
  assert.deepEqual(tokens[0].network, { connect, listen: [] });
  assert.match(
    (await token("list")).stdout,
    /LIMITS +CONNECTS TO +LISTENS ON\nbob .* none +\*\.example\.com:443, 10\.0\.0\.0\/8:\*, db\.internal:5432 and 1 more +none$/m,
  );
  for (const [option, rule, message] of [
    ["--allow-connect", "example.com", /HOST:PORTS is wanted/],
    ["--allow-connect", "10.0.0.1/8:*", /bits behind the prefix/],
    ["--allow-listen", "example.com:80", /listeners are bound to addresses/],
  ] as const) {
    const refused = await token("add", "eve", option, rule);
    assert.equal(refused.code, 125);
    assert.match(refused.stderr, message);
  }
  assert.equal(JSON.parse((await token("list", "--json")).stdout).tokens.length, 1);
});

test("options that make no sense are refused before anything is opened", async (t) => {
  const state = await makeState(t);
  const run = (...args: string[]) =>
    execute(DONJON, ["agent", "--state", join(state, "a"), ...args]);
  for (const [args, message] of [
    [["--listen", "ftp://x"], /is no agent's address/],
    [["--listen", "http://0.0.0.0:0"], /would carry tokens in the clear/],
    [["--listen", "https://127.0.0.1:0"], /needs a certificate/],
    [["--tls-cert", "x.pem"], /needs both --tls-cert and --tls-key/],
    [["--pool", "many"], /whole number/],
    [["--max-memory", "much"], /a size such as/],
    [["--allow-connect", "localhost"], /HOST:PORTS is wanted/],
    [["--allow-listen", "0.0.0.0"], /HOST:PORTS is wanted/],
  ] as const) {
    const { code, stderr } = await run(...args);
    assert.equal(code, 125, args.join(" "));
    assert.match(stderr, message);
  }
});
