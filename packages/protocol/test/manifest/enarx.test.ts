import assert from "node:assert/strict";
import { test } from "node:test";
import { parseEnarxManifest } from "@donjon/protocol/manifest/enarx";
import { encodeManifest } from "@donjon/protocol/manifest/encode";
import { parseManifest } from "@donjon/protocol/manifest/parse";

const encode = (text: string) => new TextEncoder().encode(text);
const translate = (text: string) => parseEnarxManifest(encode(text));

test("the order of files is the order of descriptors", () => {
  const { manifest, notes } = translate(`
args = ["one"]
files = [
  { kind = "stdin", name = "in" },
  { kind = "listen", name = "web", prot = "tls" },
  { kind = "null" },
  { kind = "connect", prot = "tcp", host = "localhost" },
  { kind = "stdout" },
  { kind = "listen", name = "plain", prot = "tcp", addr = "127.0.0.1", port = 8080 },
  { kind = "connect", name = "peer", prot = "tls", host = "example.org" },
]
[env]
A = "b"
`);
  assert.deepEqual(manifest.args, ["main.wasm", "one"]);
  assert.deepEqual(manifest.descriptors, [
    { kind: "stdin", name: "in" },
    { kind: "listen", name: "web", protocol: "tls", address: "::", port: 443 },
    { kind: "null", name: "null" },
    { kind: "connect", name: "localhost", protocol: "tcp", host: "127.0.0.1", port: 80 },
    { kind: "stdout", name: "stdout" },
    { kind: "listen", name: "plain", protocol: "tcp", address: "127.0.0.1", port: 8080 },
    { kind: "connect", name: "peer", protocol: "tls", host: "example.org", port: 443 },
  ]);
  assert.deepEqual(
    [...manifest.env],
    [
      ["FD_COUNT", "7"],
      ["FD_NAMES", "in:web:null:localhost:stdout:plain:peer"],
      ["A", "b"],
    ],
  );
  assert.deepEqual(notes, []);
});

test("without files there is no stdio, and a note says so", () => {
  const { manifest, notes } = translate("");
  assert.deepEqual(manifest.descriptors, []);
  assert.equal(manifest.env.get("FD_COUNT"), "0");
  assert.match(notes.join(), /no 'files'/);
});

test("unknown keys are ignored with a note on top and refused in entries", () => {
  const { notes } = translate("files = []\nfoo = 1");
  assert.match(notes.join(), /'foo'.*ignored/);
  assert.throws(
    () => translate('[[files]]\nkind = "listen"\nprot = "tcp"\nname = "a"\nhost = "x"'),
    { code: "manifest/unknown-key", message: /^Enarx\.toml:5:1: / },
  );
});

test("prot and name of a listener and prot and host of a connection are required", () => {
  for (const entry of [
    'kind = "listen"\nname = "a"',
    'kind = "listen"\nprot = "tcp"',
    'kind = "connect"\nhost = "a"',
    'kind = "connect"\nprot = "tcp"',
  ]) {
    assert.throws(() => translate(`[[files]]\n${entry}`), {
      code: "manifest/value",
      message: /^Enarx\.toml:1:3: .*lacks the key/,
    });
  }
});

test("a name with a colon is refused at its place", () => {
  assert.throws(() => translate('[[files]]\nkind = "stdin"\nname = "a:b"'), {
    code: "manifest/value",
    message: /^Enarx\.toml:3:8: /,
  });
});

test("a steward gives a note, and one without https is refused", () => {
  assert.match(translate('steward = "https://s.example"\nfiles = []').notes.join(), /'steward'/);
  assert.throws(() => translate('steward = "http://s.example"'), { code: "manifest/value" });
});

test("variables that follow from the descriptors win over those in env, with a note", () => {
  const { manifest, notes } = translate('files = []\nenv = { FD_COUNT = "9" }');
  assert.equal(manifest.env.get("FD_COUNT"), "0");
  assert.match(notes.join(), /'FD_COUNT'/);
});

test("a translation encoded as donjon.toml reads back as the same manifest", () => {
  for (const text of [
    "",
    'files = [{ kind = "stdin" }, { kind = "stdout" }, { kind = "stderr" }]',
    'files = [{ kind = "stdin" }, { kind = "stdout" }, { kind = "stderr" }, { kind = "listen", name = "a", prot = "tls" }]',
    'files = [{ kind = "listen", name = "a", prot = "tls" }, { kind = "connect", host = "b", prot = "tcp" }]',
  ]) {
    const { manifest } = translate(text);
    assert.deepEqual(parseManifest(encode(encodeManifest(manifest)), { draft: true }), manifest);
  }
});
