/** docs/tour.md is a transcript. This test gives its commands again, in their order, and compares what is on the screen. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { parseTranscript, readScreen, Values } from "./transcript.ts";
import { findMissing, User } from "./user.ts";

const PAGE = join(import.meta.dirname, "../../../docs/tour.md");
/** What stands between a clean clone and a service that is deployed, verified and uses a secret. */
const MAX_COMMANDS = 4;
const LIMIT = { timeout: 120_000 };

test("the tour's first commands lead to a verified service with a secret, and are at most four", async () => {
  const commands = parseTranscript(await readFile(PAGE, "utf8")).map(({ command }) => command);
  const attest = commands.findIndex((command) => / attest .*https:/.test(command));
  const deploy = commands.findIndex((command) => / deploy .*--secret /.test(command));
  assert.equal(commands[0], "npm start");
  assert.ok(deploy > 0 && deploy < attest, "the service is deployed, then verified by a client");
  assert.ok(attest < MAX_COMMANDS, `${attest + 1} commands`);
});

test("every command of the tour prints what the page shows", {
  ...LIMIT,
  skip: findMissing(),
}, async (t) => {
  const steps = parseTranscript(await readFile(PAGE, "utf8"));
  assert.ok(steps.length > MAX_COMMANDS);
  const user = await User.create();
  t.after(() => user.leave());
  const then = new Values();
  const now = new Values();
  for (const step of steps) {
    const printed = await user.give(step, then.translate(step.command, now));
    const found = now.normalise(printed);
    assert.equal(found, then.normalise(step.output), `'${step.command}' printed:\n${printed}`);
  }
  assert.deepEqual(await user.untilAllEnd(), [0]);
});

test("a screen is compared by what it says: times and digests may change, words and their references may not", () => {
  const [digest, other] = ["1a".repeat(32), "2b".repeat(32)];
  const page = new Values();
  assert.equal(
    page.normalise(`made ${digest} in 12 ms\nagain 0f0f0f0f...`),
    new Values().normalise(`made ${other} in 340.5 ms\nagain ${digest}`),
  );
  const mixed = new Values();
  mixed.normalise(other);
  assert.notEqual(
    mixed.normalise(`${digest} ${digest}`),
    new Values().normalise(`${digest} ${other}`),
  );
  assert.notEqual(new Values().normalise("INSECURE"), new Values().normalise("SECURE"));
  assert.equal(page.translate("ask 0f0f0f0f...", mixed), `ask ${digest}`);
  assert.equal(readScreen("sending 1 %\r\u001b[K\u001b[33mdone\u001b[0m\r\n"), "done\n");
});
