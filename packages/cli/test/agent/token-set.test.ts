import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { connectAgent } from "@donjon/client/agent/connect";
import { DONJON, execute, type Finished } from "../../../../tests/support/keep.ts";
import { makeState, startAgent } from "./start-agent.ts";

test("what a caller may have is changed beside a running agent, and its token stays", async (t) => {
  const state = await makeState(t);
  const agent = await startAgent(t, state, "--listen", "http://127.0.0.1:0", "--end-keeps");
  const token = (...args: string[]): Promise<Finished> =>
    execute(DONJON, ["agent", "token", ...args, "--state", join(state, "agent")]);
  const rules = ["--allow-connect", "*:443", "--allow-listen", "none"];
  const made = await token("add", "bob", "--max-keeps", "1", "--max-sessions", "1", ...rules);
  const bob = connectAgent(agent.addresses[1]!, { token: made.stdout.trim() });
  await bob.createKeep({});
  await assert.rejects(bob.createKeep({}), {
    code: "agent/limit",
    message: /^bob has 1 Keep and may have 1;/,
  });
  assert.match((await token("list")).stdout, / 1 Keep, 1 session +\*:443 +none$/m);

  const more = ["--max-keeps", "2", "--max-sessions", "none", "--max-lifetime", "1h"];
  const changed = await token("set", "bob", ...more, "--allow-connect", "default");
  assert.equal(changed.code, 0, changed.stderr);
  assert.equal(
    changed.stderr,
    "donjon: for new Keeps of bob: limits: 2 Keeps, 1 h each; connect to: *:*; listen on: none\n",
  );
  assert.equal((await bob.createKeep({})).limits.lifetimeMs, 3_600_000);
  const listeners = [{ name: "web", address: "127.0.0.1", port: 0 }] as const;
  await token("set", "bob", "--max-keeps", "none");
  await assert.rejects(bob.createKeep({ listeners }), { code: "agent/forbidden" });
  const json = await token("set", "bob", "--allow-listen", "127.0.0.1:*", "--json");
  assert.deepEqual(JSON.parse(json.stdout).network, { connect: ["*:*"], listen: ["127.0.0.1:*"] });
  assert.equal(JSON.parse(json.stdout).limits.maxKeeps, null);

  for (const [args, message] of [
    [["bob"], /nothing is to change for 'bob'; give a --max or an --allow option/],
    [["eve", "--max-keeps", "1"], /there is no token for 'eve'/],
    [["bob", "--max-memory", "much"], /a size such as/],
    [["bob", "--allow-connect", "*:80", "--allow-connect", "default"], /'default' stands alone/],
  ] as const) {
    const { code, stderr } = await token("set", ...args);
    assert.equal(code, 125, args.join(" "));
    assert.match(stderr, message);
  }
});
