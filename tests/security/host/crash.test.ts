/** A Keep that traps or crashes with secrets in its memory: nothing of them is left behind, or said as last words. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openAttestedSession } from "@donjon/client/attested/open";
import type { Provision, Run } from "@donjon/client/session";
import { describeDefect } from "@donjon/keep/node/last-words";
import { createProvision } from "@donjon/testkit/contract/keep-fixture";
import { findKeep } from "../../support/processes.ts";
import { type HostileHost, RUNTIME, startHost } from "./support/hostile-host.ts";
import { createSetting } from "./support/setting.ts";

const setting = await createSetting();
/** The Keep's working directory where there is no sandbox: what it left would be here. */
const folder = join(setting.folder, "image");
mkdirSync(folder);
const runtime = join(folder, "keep.cjs");
copyFileSync(RUNTIME, runtime);
const SECRET = "planted-0f9a1c7e5b3d2846";

const provision: Provision = {
  ...createProvision(
    readFileSync(join(import.meta.dirname, "guests/secret.wasm")),
    '[[secrets]]\nname = "key"\nenv = "KEY"\n',
  ),
  secrets: new Map([["key", Buffer.from(SECRET)]]),
};

/** A workload that has the secret in its memory, and in what it wrote. */
async function startSecretive(host: HostileHost): Promise<Run> {
  const session = await openAttestedSession(host.call(), {
    identity: setting.owner,
    verify: await setting.createVerifier(host.keep),
    expect: "new",
  });
  const run = session.provision(provision);
  let output = "";
  for await (const piece of run.stdout.iterator({ destroyOnReturn: false })) {
    output += piece;
    if (output.includes(SECRET)) break;
  }
  run.stdout.resume();
  return run;
}

const start = (): HostileHost => {
  const host = startHost({ answer: setting.createAnswer(() => host.keep), runtime });
  return host;
};

function assertNothingLeft(host: HostileHost): void {
  assert.ok(!host.console.join("\n").includes(SECRET), host.console.join("\n"));
  assert.ok(!Buffer.concat(host.recorded).includes(SECRET));
  assert.deepEqual(readdirSync(folder), ["keep.cjs"]);
  const own = readdirSync(process.cwd());
  assert.deepEqual(
    own.filter((name) => /^core(\.\d+)?$/.test(name)),
    [],
  );
}

test("a workload that traps tells its owner where, and nobody what it knew", async () => {
  await using host = start();
  const run = await startSecretive(host);
  run.stdin.end("x");
  const { outcome } = await run.result;
  assert.equal(outcome.kind, "trap");
  assert.ok(!JSON.stringify(outcome).includes(SECRET));
  await host.keep.ended;
  assertNothingLeft(host);
});

for (const signal of ["SIGSEGV", "SIGABRT"] as const) {
  test(`a Keep that crashes leaves no core and says nothing of its secrets: ${signal}`, async () => {
    await using host = start();
    const run = await startSecretive(host);
    const { pid } = await findKeep(process.pid);
    const limits = readFileSync(`/proc/${pid}/limits`, "utf8");
    assert.match(limits, /^Max core file size +0 +0 /m);
    process.kill(pid, signal);
    await assert.rejects(run.result, { code: "session/closed" });
    await host.keep.ended;
    assertNothingLeft(host);
  });
}

test("a defect of the Keep tells the host its kind and place, and not its message", () => {
  const errors = [
    new TypeError(SECRET),
    new Error(`first\n    at ${SECRET} (a line that looks like a place)`),
    new DOMException(SECRET, "DataError"),
    SECRET,
    Object.assign(new Error("before"), { message: SECRET }),
  ];
  for (const error of errors) assert.ok(!describeDefect(error).includes(SECRET));
  assert.match(describeDefect(errors[0]), /^TypeError\n {4}at .*crash\.test\.ts/);
});
