/** An agent over TCP: who calls has to say who it is, and to see who answers. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createCertificate } from "@donjon/testkit/contract/certificate";
import { createFiles, runCommand } from "../command.ts";
import { GUESTS } from "../guest.ts";
import { startAgent } from "./agent.ts";

const LIMIT = { timeout: 120_000 };

test("an agent over TLS takes a token, and is taken by its authority alone", LIMIT, async (t) => {
  const { certificate, key } = createCertificate();
  const tls = { certificate, key, clientCa: null };
  const agent = await startAgent(t, { listen: ["https://127.0.0.1:0"], tls });
  const root = createFiles(t, {
    "seven.wasm": GUESTS.exit(7),
    "agent.pem": certificate,
    "text.pem": "no PEM",
    "mixed.pem": certificate + createCertificate().key,
  });
  const file = (name: string) => join(root, name);
  const state = ["--state", agent.state];
  const added = await runCommand(["agent", "token", "add", "alice", ...state]);
  assert.equal(added.code, 0, added.stderr);
  writeFileSync(file("token"), added.stdout);
  const address = agent.addresses.find((each) => each.startsWith("https:"))!;
  const named = address.replace("127.0.0.1", "localhost");
  const env = { XDG_CONFIG_HOME: root };
  const run = (args: string[], more: Record<string, string> = {}) =>
    runCommand(args, { env: { ...env, ...more } });
  const trusted = ["--agent", named, "--agent-ca", file("agent.pem")];
  const deploy = ["deploy", "--insecure", file("seven.wasm")];
  const good = await run([...deploy, ...trusted, "--token", file("token")]);
  assert.equal(good.code, 7, good.stderr);
  const byVariable = { DONJON_AGENT: named, DONJON_AGENT_TOKEN: `${added.stdout}` };
  const ps = await run(["ps", "--json", "--agent-ca", file("agent.pem")], byVariable);
  assert.deepEqual(JSON.parse(`${ps.stdout}`), { keeps: [] });
  for (const [args, says] of [
    [[...trusted], /token|who calls|unauthori/i],
    [[...trusted, "--token", file("agent.pem")], /token|unauthori/i],
    [["--agent", named, "--token", file("token")], /self-signed|certificate/i],
    [[...trusted, "--token", file("none")], /cannot be read from/],
    [["--agent", "ftp://x"], /no agent's address/],
    [["--agent", named, "--agent-ca", file("text.pem")], /\(--agent-ca\).* it is no PEM/],
    [[...trusted, "--agent-cert", file("none")], /\(--agent-cert\) cannot be read/],
    [[...trusted, "--agent-cert", file("agent.pem")], /\(--agent-cert\).* private key/],
    [[...trusted, "--agent-cert", file("mixed.pem")], /the key of another/],
  ] as const) {
    const refused = await run([...deploy, ...args]);
    assert.equal(refused.code, 125, refused.stderr);
    assert.match(refused.stderr, says);
  }
});
