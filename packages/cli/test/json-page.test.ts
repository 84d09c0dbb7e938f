/** docs/json.md against what the commands print. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createFiles, runCommand } from "./command.ts";
import { startAgent } from "./deploy/agent.ts";
import { GUESTS } from "./guest.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../../docs/json.md"), "utf8");

/** The keys that the page gives a command: of the whole line, and of the one object in it. */
function readKeys(command: string): { outer: string[]; inner: string[] } {
  const row = PAGE.split("\n").find(
    (line) => line.startsWith("|") && line.includes(`\`${command}\``),
  );
  assert.ok(row, `no row for ${command}`);
  const text = row.split("|").at(-2)!;
  const names = (part: string) => [...part.matchAll(/`(\w+)`/g)].map((match) => match[1]!);
  const nested = /^ `(\w+)`: (?!a list)(.*)/.exec(text);
  return nested === null
    ? { outer: names(text.split(": a list")[0]!), inner: [] }
    : { outer: [nested[1]!], inner: names(nested[2]!) };
}

function assertKeys(command: string, line: string): void {
  const json = JSON.parse(line);
  const { outer, inner } = readKeys(command);
  assert.deepEqual(Object.keys(json).sort(), outer.toSorted(), command);
  if (inner.length > 0)
    assert.deepEqual(Object.keys(json[outer[0]!]).sort(), inner.sort(), command);
}

test("commands without an agent print the keys of the page", { timeout: 60_000 }, async (t) => {
  const cwd = createFiles(t, { "a.wasm": GUESTS.exit(0), "state/x": "" });
  const state = ["--state", join(cwd, "state")];
  const run = (...args: string[]) => runCommand([...args, "--json"], { cwd });
  assertKeys("run", (await run("run", "--insecure", "a.wasm")).stderr);
  assertKeys("init", `${(await run("init")).stdout}`);
  assertKeys("inspect", `${(await run("inspect", "a.wasm")).stdout}`);
  assertKeys("platform", `${(await run("platform")).stdout}`);
  const policy = await run("policy", "init", "--tee", "sgx", "--mr-signer", "cd".repeat(32));
  assertKeys("policy init", policy.stderr);
  assertKeys(
    "agent token add",
    `${(await run("agent", "token", "add", "alice", ...state)).stdout}`,
  );
  const { tokens } = JSON.parse(`${(await run("agent", "token", "list", ...state)).stdout}`);
  assert.equal(tokens.length, 1);
  const set = await run("agent", "token", "set", "alice", "--max-keeps", "2", ...state);
  assertKeys("agent token set", `${set.stdout}`);
  const removed = await run("agent", "token", "remove", "alice", ...state);
  assertKeys("agent token remove", `${removed.stdout}`);
  const error = JSON.parse((await run("run", "none.wasm")).stderr);
  assert.deepEqual(Object.keys(error.error), ["code", "message", "details"]);
});

test("commands at an agent print the keys of the page", { timeout: 120_000 }, async (t) => {
  const agent = await startAgent(t);
  const cwd = createFiles(t, { "cat.wasm": GUESTS.cat() });
  const run = (...args: string[]) => agent.run([...args, "--json"], { cwd });
  const deploy = ["deploy", "--insecure", "--detach", "--name", "web", "--proof", "web.donjon"];
  assertKeys("deploy --detach", (await run(...deploy, "cat.wasm")).out);
  assertKeys("ps", (await run("ps")).out);
  assertKeys("attest", (await run("attest", "--insecure", "web")).out);
  const roots = ["--insecure-root", "web.donjon.simulated-roots.json"];
  assertKeys("verify", (await run("verify", "web.donjon", ...roots)).out);
  const explained = JSON.parse((await run("explain", "web.donjon")).out);
  assert.ok(explained.claims === null && typeof explained.unverified === "object");
  assertKeys("diff", (await run("diff", "web.donjon", "web.donjon")).out);
  assertKeys("stop", (await run("stop", "--insecure", "web")).out);
  assertKeys("rm", (await run("rm", "web")).out);
});
