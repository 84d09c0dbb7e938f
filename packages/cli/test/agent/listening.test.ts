import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { until } from "../../../../tests/support/processes.ts";
import { makeState, runAgent } from "./start-agent.ts";

test("an agent that listens elsewhere says so, and takes away only its user's own stale socket", async (t) => {
  const state = await makeState(t);
  const usual = join(state, "run/donjon/agent.sock");
  const env = { XDG_RUNTIME_DIR: join(state, "run") };
  const tcp = ["--listen", "http://127.0.0.1:0"];
  const start = (folder: string, ...more: string[]) =>
    runAgent(t, ["--state", join(state, folder), ...more], env);
  const first = await start("a");
  assert.equal(first.address, `unix:${usual}`);
  const second = await start("b", ...tcp);
  assert.match(second.address, /^http:\/\/127\.0\.0\.1:\d+$/);
  const warned = await until("it says so", () =>
    second.lines().find(({ event }) => event === "agent has no unix socket"),
  );
  assert.match(String(warned["advice"]), /--agent or DONJON_AGENT.*--listen unix:\/.*agent\.sock$/);
  assert.ok(statSync(usual).isSocket(), "an agent answers there");
  await second.end("SIGTERM");

  await first.end("SIGKILL");
  assert.ok(statSync(usual).isSocket(), "nobody was left to take it away");
  const third = await start("a", ...tcp);
  await until("it is gone", () => statSync(usual, { throwIfNoEntry: false }) === undefined);
  await third.end("SIGTERM");

  writeFileSync(usual, "mine");
  const last = await start("a", ...tcp);
  await until("it has looked there", () =>
    last.lines().some(({ event }) => event === "agent has no unix socket"),
  );
  assert.equal(readFileSync(usual, "utf8"), "mine");
});
