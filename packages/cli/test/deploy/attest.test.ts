/** What a Keep answers when it is asked, and what is kept of the answer. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { parsePolicyToml } from "@donjon/attest/appraise";
import { createFiles, runCommand, startCommand, waitFor } from "../command.ts";
import { GUESTS } from "../guest.ts";
import { startAgent, type TestAgent } from "./agent.ts";

const LIMIT = { timeout: 120_000 };

async function deployed(t: TestContext): Promise<{ agent: TestAgent; root: string }> {
  const agent = await startAgent(t);
  const root = createFiles(t, { "cat.wasm": GUESTS.cat(), "other.wasm": GUESTS.exit(1) });
  const args = ["deploy", "--insecure", "-d", "--name", "web", "--proof", join(root, "p.donjon")];
  const { code, stderr } = await agent.run([...args, join(root, "cat.wasm")]);
  assert.equal(code, 0, stderr);
  return { agent, root };
}

test("attest compares what runs with what the caller expects", LIMIT, async (t) => {
  const { agent, root } = await deployed(t);
  const printed = await agent.run(["run", "--print-manifest", join(root, "cat.wasm")]);
  writeFileSync(join(root, "manifest"), printed.stdout);
  writeFileSync(
    join(root, "none.toml"),
    `report_data = "any"\n[sgx]\nmr_enclave = "${"ab".repeat(32)}"\n`,
  );
  const ask = (...args: string[]) => agent.run(["attest", "--insecure", ...args, "web"]);
  const same = ["--manifest", join(root, "manifest"), "--workload", join(root, "cat.wasm")];
  const good = await ask(...same);
  assert.equal(good.code, 0, good.out);
  for (const line of good.out.trimEnd().split("\n")) assert.match(line, /^INSECURE /);
  assert.match(good.out, /image +sha256:[0-9a-f]{64}, built here \(SIMULATED: a process/);
  assert.match(good.out, /since +\d{4}-.* as the host says$/m);
  const other = await ask("--workload", join(root, "other.wasm"));
  assert.equal(other.code, 120);
  assert.match(other.out, /because +session\/other.*\n.*found [0-9a-f]{64}\n.*wanted the workload/);
  const refusing = await ask("--policy", join(root, "none.toml"));
  assert.match(refusing.out, /because +policy\/measurement/);
  assert.doesNotMatch(refusing.out, /INSECURE +(manifest|workload|owner)/, "nobody has said it");
  const json = JSON.parse((await ask("--json")).out);
  assert.deepEqual(
    [json.keep.id, json.keep.name, json.keep.backend],
    [json.target, "web", "process"],
  );
  assert.ok(Date.parse(json.keep.since) <= Date.now());
  assert.match(json.image, /^[0-9a-f]{64}$/);
  assert.equal(json.service, null);
  const missing = await ask("--workload", join(root, "none.wasm"));
  assert.equal(missing.code, 125);
  const refused = await agent.run(["attest", "web"]);
  assert.equal(refused.code, 125);
  assert.match(refused.stderr, /no hardware protection.*\n.*--insecure/);
  for (const target of ["http://localhost:1", "localhost:8443"]) {
    const wrong = await agent.run(["attest", "--insecure", target]);
    assert.equal(wrong.code, 125);
    assert.match(wrong.stderr, /is neither .* of a service, which is https:\/\/HOST:PORT/);
  }
  const fresh = await ask("--fresh");
  assert.match(fresh.stderr, /for https:\/\/ only/);
});

test(
  "the proof of a deployment can be asked again, and one octet of it cannot be changed",
  LIMIT,
  async (t) => {
    const { agent, root } = await deployed(t);
    const proof = join(root, "p.donjon");
    const roots = ["--insecure-root", `${proof}.simulated-roots.json`];
    const answer = await agent.run(["attest", "--insecure", "--json", "web"]);
    const { workload, owner } = JSON.parse(answer.out);
    const verified = await runCommand(["verify", proof, ...roots, "--json"]);
    assert.equal(verified.code, 0, `${verified.stdout}`);
    const { binding, verdict } = JSON.parse(`${verified.stdout}`);
    assert.equal(verdict, "accepted");
    assert.deepEqual([binding.workload, binding.owner], [workload, owner]);
    const unknown = await runCommand(["verify", proof]);
    assert.equal(unknown.code, 120);
    const text = JSON.parse(readFileSync(proof, "utf8"));
    const preimage = Buffer.from(text.preimage, "base64");
    preimage[preimage.length - 1]! ^= 1;
    writeFileSync(`${proof}.2`, JSON.stringify({ ...text, preimage: preimage.toString("base64") }));
    const changed = await runCommand(["verify", `${proof}.2`, ...roots]);
    assert.equal(changed.code, 120);
    assert.match(`${changed.stdout}`, /because +envelope\/binding/);
    const again = await agent.run(["attest", "--insecure", "--proof", proof, "web"]);
    assert.equal(again.code, 125);
    assert.match(again.stderr, /it is there already/);
    const nowhere = ["--proof", join(root, "none/p.donjon"), join(root, "cat.wasm")];
    const unmade = await agent.run(["deploy", "--insecure", "-d", "--name", "two", ...nowhere]);
    assert.equal(unmade.code, 125);
    assert.match(unmade.stderr, /the proof cannot be written.*its directory: no such file/);
    const { keeps } = JSON.parse((await agent.run(["ps", "--all", "--json"])).out);
    assert.equal(keeps.length, 1, "nothing was started that would have no proof");
  },
);

test("run --attest asks as deploy does, with the same refusals and a proof", LIMIT, async (t) => {
  const root = createFiles(t, {
    "seven.wasm": GUESTS.exit(7),
    "wrong.toml": `report_data = "any"\n[sgx]\nmr_enclave = "${"ab".repeat(32)}"\n`,
  });
  const env = { XDG_STATE_HOME: join(root, "s"), XDG_CONFIG_HOME: join(root, "c") };
  const run = (...args: string[]) =>
    runCommand(["run", ...args, join(root, "seven.wasm")], { env });
  const proof = join(root, "p.donjon");
  const good = await run("--insecure", "--attest", "--proof", proof, "--json");
  assert.equal(good.code, 7, good.stderr);
  const { evidence, workload } = JSON.parse(good.stderr).run;
  assert.deepEqual([evidence.kind, evidence.verdict], ["sgx", "accepted"]);
  assert.match(evidence.anchor.name, /^SIMULATED /);
  const roots = ["--insecure-root", `${proof}.simulated-roots.json`, "--json"];
  const verified = await runCommand(["verify", proof, ...roots]);
  assert.equal(JSON.parse(`${verified.stdout}`).binding.workload, workload);
  const wrong = await run("--insecure", "--attest", "--policy", join(root, "wrong.toml"));
  assert.equal(wrong.code, 120);
  assert.match(wrong.stderr, /INSECURE REFUSED[\s\S]*policy\/measurement/);
  const judged = await run("--insecure", "--policy", join(root, "wrong.toml"));
  assert.equal(judged.code, 120, "a policy is judged by without --attest, too");
  const proved = await run("--insecure", "--proof", join(root, "q.donjon"));
  assert.equal(proved.code, 7, proved.stderr);
  assert.ok(existsSync(join(root, "q.donjon")), "so is a proof written");
  const plain = await run("--insecure", "--json");
  assert.equal(JSON.parse(plain.stderr).run.evidence, null);
  const summary = await run("--insecure", "--summary");
  assert.match(summary.stderr, /evidence +none asked/);
  writeFileSync(join(root, "cat.wasm"), GUESTS.cat());
  const child = startCommand(["run", "--insecure", "--attest", join(root, "cat.wasm")], { env });
  const ended = waitFor(child);
  child.stdin!.write("there\n");
  await once(child.stdout!, "data");
  child.kill("SIGINT");
  const { code, stderr } = await ended;
  assert.deepEqual([code, stderr], [130, ""]);
  const without = await run("--attest");
  assert.equal(without.code, 125);
  assert.match(without.stderr, /no hardware protection was found on this machine \(snp: /);
});

test("policy init writes what parses, and writes over nothing", LIMIT, async (t) => {
  const root = createFiles(t, {});
  const file = join(root, "policy.toml");
  const init = (...args: string[]) => runCommand(["policy", "init", ...args], { cwd: root });
  const written = await init("--tee", "process");
  assert.equal(written.code, 0, written.stderr);
  const text = readFileSync(file, "utf8");
  const policy = parsePolicyToml(text);
  assert.ok(Array.isArray(policy.sgx?.mrEnclave));
  assert.match(text, /^# SIMULATED: /m);
  const again = await init("--tee", "process");
  assert.equal(again.code, 125);
  assert.match(again.stderr, /'policy\.toml' is there already.*--force/);
  const sgx = await init("--tee", "sgx", "--mr-signer", "CD".repeat(32), "--force", "--json");
  assert.equal(sgx.code, 0, sgx.stderr);
  const signed = parsePolicyToml(readFileSync(file, "utf8"));
  assert.equal(signed.sgx?.mrEnclave, "any");
  assert.deepEqual(JSON.parse(sgx.stderr).tees, ["sgx"]);
  const enclave = await init("--tee", "sgx", "--mr-enclave", "ab".repeat(32), "-o", "-");
  assert.deepEqual(parsePolicyToml(`${enclave.stdout}`).snp, undefined);
  for (const [args, says] of [
    [["--tee", "sgx", "-o", "x"], /Gramine's signer.*--mr-enclave/],
    [["--tee", "sev"], /'sev'.*snp, tdx, sgx, process, vm/],
    [["--tee", "process,snp"], /simulated and real do not mix/],
    [["--tee", "snp", "--firmware", "/none", "--image", root], /snp: /],
    [["--mr-enclave", "12"], /64 digits of hex/],
  ] as const) {
    const wrong = await init(...args);
    assert.equal(wrong.code, 125, wrong.stderr);
    assert.match(wrong.stderr, says);
  }
  assert.ok(!existsSync(join(root, "x")));
});
