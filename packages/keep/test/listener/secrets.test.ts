import assert from "node:assert/strict";
import { test } from "node:test";
import { parseManifest } from "@donjon/protocol/manifest/parse";
import { createWorkloadSpec } from "../../src/session/provision.ts";

const MARKER = "MARKER0123456789";

/** What the engine room is told for a TLS listener with these secrets, all of one value. */
async function specify(secrets: string) {
  const text = `[workload]
sha256 = "${"ab".repeat(32)}"
[[listeners]]
name = "https"
protocol = "tls"
port = 443
certificate = "cert"
key = "key"
${secrets}`;
  const manifest = parseManifest(new TextEncoder().encode(text));
  const values = manifest.secrets.map(({ name }) => [name, Buffer.from(MARKER)] as const);
  const parts = { manifestDigest: "", module: new Uint8Array(0), trees: new Map(), timeMs: 0 };
  return createWorkloadSpec(
    { ...parts, manifest, secrets: new Map(values), terminals: [], detached: false },
    0n,
    () => assert.fail("there is no connection"),
  );
}

test("secrets of a listener are in no variable and no file of the workload", async () => {
  const spec = await specify('[[secrets]]\nname = "cert"\n[[secrets]]\nname = "key"\n');
  assert.deepEqual(spec.mounts, []);
  assert.ok(![...spec.env].flat().some((text) => text.includes(MARKER) || text === "key"));
});

test("secrets of a listener that are granted as well are where the manifest says", async () => {
  const spec = await specify(
    '[[secrets]]\nname = "cert"\nfile = "/tls/cert.pem"\n[[secrets]]\nname = "key"\nenv = "TLS_KEY"\n',
  );
  assert.equal(spec.env.get("TLS_KEY"), MARKER);
  const [mount] = spec.mounts;
  assert.equal(mount?.kind, "secrets");
  assert.deepEqual([...mount.files.keys()], ["cert.pem"]);
});
