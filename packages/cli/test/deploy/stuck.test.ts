/** A program that was deployed, in a Keep that has turned bad and does not end it: the command does. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createFiles, waitFor } from "../command.ts";
import { GUESTS } from "../guest.ts";
import { type OwnedAgent, startAgent } from "./agent.ts";
import { untilSays } from "./says.ts";

const LIMIT = { timeout: 120_000 };
const RUNTIME = readFileSync(join(import.meta.dirname, "../../../keep/dist/keep.cjs"), "utf8");
/** A good Keep until it has to end its workload: from then on its gate's thread spins. */
const SPINS_AT_END =
  'require("node:worker_threads").Worker.prototype.terminate = () => { for (;;); };';
const KILLED =
  /^donjon: the Keep had not ended the run 5 s after (?:it was asked to|its limit of 500 ms), so it was killed; .* are lost\n$/;

async function startBadAgent(t: TestContext): Promise<{ agent: OwnedAgent; root: string }> {
  const files = { "bad.cjs": `${SPINS_AT_END}\n${RUNTIME}`, "cat.wasm": GUESTS.cat() };
  const root = createFiles(t, { ...files, "spin.wasm": GUESTS.spin() });
  return { agent: await startAgent(t, { runtime: join(root, "bad.cjs") }), root };
}

async function assertNoKeeps(agent: OwnedAgent): Promise<void> {
  const left = await agent.run(["ps", "--all", "--json"]);
  assert.deepEqual(JSON.parse(left.out), { keeps: [] });
}

test(
  "one Ctrl-C ends a stuck Keep at an agent after its grace, and that is told",
  LIMIT,
  async (t) => {
    const { agent, root } = await startBadAgent(t);
    const cat = agent.start(["deploy", "--insecure", join(root, "cat.wasm")]);
    cat.stdin!.write("there\n");
    await untilSays(cat, "there");
    cat.kill("SIGINT");
    const { code, stderr } = await waitFor(cat);
    assert.equal(code, 130, stderr);
    assert.match(stderr, KILLED);
    await assertNoKeeps(agent);
  },
);

test("the second Ctrl-C ends a stuck Keep at an agent at once", LIMIT, async (t) => {
  const { agent, root } = await startBadAgent(t);
  const cat = agent.start(["deploy", "--insecure", join(root, "cat.wasm")]);
  cat.stdin!.write("there\n");
  await untilSays(cat, "there");
  const ended = waitFor(cat);
  const again = setInterval(() => cat.kill("SIGINT"), 100);
  const { code, stderr } = await ended;
  clearInterval(again);
  assert.deepEqual([code, stderr], [130, ""]);
  await assertNoKeeps(agent);
});

test(
  "a stuck Keep at an agent ends its grace after the time of its program, and that is told",
  LIMIT,
  async (t) => {
    const { agent, root } = await startBadAgent(t);
    const spin = join(root, "spin.wasm");
    const { code, stderr } = await agent.run(["deploy", "--insecure", "--time", "500ms", spin]);
    assert.equal(code, 124, stderr);
    assert.match(stderr, KILLED);
    await assertNoKeeps(agent);
  },
);
