/** What never leaves the owner's hands, proved by a host that keeps every byte. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { AgentPlatform } from "@donjon/client/agent/client";
import { withCustomSection } from "@donjon/testkit/contract/guests";
import { createFiles } from "../command.ts";
import { GUESTS } from "../guest.ts";
import { type Recorder, startAgent, startRecorder, type TestAgent, useAgent } from "./agent.ts";

const LIMIT = { timeout: 120_000 };
/** In the manifest, in the workload, in a secret, in arguments. */
const MARKER = "MARKER-4f1d9c";

const LYING: AgentPlatform = {
  backends: [{ name: "snp", protects: true, available: true, detail: "it says" }],
};

/** A module with a custom section that holds the marker. */
function markedModule(): Uint8Array {
  return withCustomSection(GUESTS.exit(0), Buffer.from(MARKER));
}

async function recorded(
  t: TestContext,
  platform?: AgentPlatform,
): Promise<{ agent: TestAgent; recorder: Recorder; root: string }> {
  const behind = await startAgent(t, platform === undefined ? {} : { platform });
  const recorder = await startRecorder(t, behind.address);
  const root = createFiles(t, {
    "a.wasm": markedModule(),
    "donjon.toml": `args = ["a", "${MARKER}"]\n[workload]\nfile = "a.wasm"\n[[secrets]]\nname = "KEY"\nenv = "KEY"\n`,
  });
  return { agent: useAgent(recorder.address, behind.env["HOME"]!), recorder, root };
}

/** Request lines of HTTP, as the host saw them. */
function requests(recorder: Recorder): string[] {
  return (
    recorder
      .sent()
      .toString("latin1")
      .match(/^[A-Z]+ \/\S+(?= HTTP)/gm) ?? []
  );
}

test("without --insecure and hardware nothing is made and nothing is sent", LIMIT, async (t) => {
  const { agent, recorder, root } = await recorded(t);
  const env = { KEY: MARKER, DONJON_INSECURE: "1", INSECURE: "1" };
  const args = ["deploy", root, "--secret", "KEY"];
  const refused = await agent.run(args, { env });
  assert.equal(refused.code, 125);
  assert.match(refused.stderr, /no hardware that protects a Keep .*nothing sent/);
  assert.match(refused.stderr, /hint: .*--insecure/);
  assert.deepEqual(requests(recorder), ["GET /v1/platform"]);
  for (const more of [
    ["--backend", "process"],
    ["--backend", "snp"],
  ]) {
    const { code } = await agent.run([...args, ...more], { env });
    assert.equal(code, 125);
  }
  assert.deepEqual([...new Set(requests(recorder))], ["GET /v1/platform"]);
  assert.ok(!recorder.sent().includes(MARKER));
});

test("neither a variable nor a project file can say --insecure", LIMIT, async (t) => {
  const { agent, recorder, root } = await recorded(t);
  const more = createFiles(t, {
    "a.wasm": markedModule(),
    "donjon.toml": 'insecure = true\n[workload]\nfile = "a.wasm"\n',
    "policy.toml": 'insecure = true\nreport_data = "any"\n',
  });
  const env = { DONJON_INSECURE: "1", DONJON_OPTIONS: "--insecure", KEY: "x" };
  for (const args of [[more], [root, "--secret", "KEY"], [root, "--", "--insecure"]]) {
    const { code, stderr } = await agent.run(["deploy", ...args], { env });
    assert.equal(code, 125);
    assert.match(stderr, /no hardware that protects|unknown key/i);
  }
  assert.ok(!requests(recorder).some((line) => line.startsWith("POST")));
});

test("a host that only says that it protects gets no byte of the workload", LIMIT, async (t) => {
  const { agent, recorder, root } = await recorded(t, LYING);
  const policy = createFiles(t, { "p.toml": 'report_data = "any"\n[snp]\nmeasurement = "any"\n' });
  const env = { KEY: MARKER };
  const args = ["deploy", root, "--secret", "KEY"];
  // Without a policy not even a Keep is made: no measurement could be asked.
  const unknown = await agent.run(args, { env: { ...env, XDG_CACHE_HOME: root } });
  assert.equal(unknown.code, 125);
  assert.match(unknown.stderr, /there is no policy.*nothing was sent.*policy init/);
  assert.ok(!requests(recorder).some((line) => line.startsWith("POST")));
  for (const insecure of [[], ["--insecure", "--backend", "snp"]]) {
    const more = ["--policy", join(policy, "p.toml"), ...insecure];
    const lied = await agent.run([...args, ...more], { env });
    assert.equal(lied.code, 120, lied.stderr);
    assert.match(lied.stderr, /^REFUSED /);
    assert.match(lied.stderr, /because +snp\//);
  }
  assert.ok(requests(recorder).some((line) => line.startsWith("POST /v1/keeps")));
  assert.ok(!recorder.sent().includes(MARKER));
  const left = await agent.run(["ps", "--all", "--json"]);
  assert.deepEqual(JSON.parse(left.out), { keeps: [] });
});

test(
  "a policy that the Keep does not meet refuses check by check, before anything is sent",
  LIMIT,
  async (t) => {
    const { agent, recorder, root } = await recorded(t);
    const files = createFiles(t, {
      "wrong.toml": `report_data = "any"\n[sgx]\nmr_enclave = "${"ab".repeat(32)}"\nisv_prod_id = 9\n`,
      "snp.toml": 'report_data = "any"\n[snp]\nmeasurement = "any"\n',
      "bad.toml": "[sgx]\nmr_enclav = 1\n",
    });
    const deploy = (policy: string, ...more: string[]) =>
      agent.run(
        ["deploy", "--insecure", "--secret", "KEY", "--policy", join(files, policy), root, ...more],
        { env: { KEY: MARKER } },
      );
    const wrong = await deploy("wrong.toml");
    assert.equal(wrong.code, 120);
    assert.match(wrong.stderr, /^INSECURE REFUSED {2}sgx evidence, genuine by SIMULATED/);
    assert.match(
      wrong.stderr,
      /because +policy\/measurement.*\n.*found [0-9a-f]{64}\n.*wanted abab/,
    );
    assert.match(
      wrong.stderr,
      /because +policy\/signer|because +policy\/[a-z-]+.*\n.*found 1\n.*wanted 9/,
    );
    assert.match(wrong.stderr, /nothing of the workload was sent/);
    for (const line of wrong.stderr.trimEnd().split("\n")) assert.match(line, /^INSECURE /);
    const kind = await deploy("snp.toml", "--json");
    assert.equal(kind.code, 120);
    const answer = JSON.parse(kind.stderr);
    assert.equal(answer.verdict, "refused");
    assert.deepEqual(
      answer.checks
        .filter(({ ok }: { ok: boolean }) => !ok)
        .map(({ code }: { code: string }) => code),
      ["policy/kind"],
    );
    const posts = requests(recorder).filter((line) => line.startsWith("POST")).length;
    const bad = await deploy("bad.toml");
    assert.equal(bad.code, 125);
    assert.match(bad.stderr, /mr_enclav/);
    assert.equal(requests(recorder).filter((line) => line.startsWith("POST")).length, posts);
    assert.ok(!recorder.sent().includes(MARKER));
    const left = await agent.run(["ps", "--all", "--json"]);
    assert.deepEqual(JSON.parse(left.out), { keeps: [] });
  },
);

test(
  "what an accepted Keep is sent cannot be read by the host; what is leaked on purpose is found",
  LIMIT,
  async (t) => {
    const { agent, recorder, root } = await recorded(t);
    const policy = join(createFiles(t, {}), "policy.toml");
    const written = await agent.run(["policy", "init", "--tee", "process", "-o", policy]);
    assert.equal(written.code, 0, written.stderr);
    const args = ["deploy", "--insecure", "--policy", policy, "--secret", "KEY", root];
    const { code, stderr } = await agent.run(args, { env: { KEY: MARKER }, input: MARKER });
    assert.equal(code, 0, stderr);
    assert.ok(recorder.sent().length > 1000);
    for (const bytes of [recorder.sent(), recorder.received()]) assert.ok(!bytes.includes(MARKER));
    const leak = await agent.run([...args, "--name", MARKER.toLowerCase()], { env: { KEY: "x" } });
    assert.equal(leak.code, 0, leak.stderr);
    assert.ok(recorder.sent().includes(MARKER.toLowerCase()), "the recorder sees what is there");
  },
);
