/** The pages that others write against say what the code does. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { BINDING_LABEL, EXPORTER_LABEL, encodeBinding } from "../src/attestation/binding.ts";
import { MUX_PROTOCOL } from "../src/gate/mux.ts";
import * as limits from "../src/limits.ts";
import { SESSION_ALPN } from "../src/session/carrier.ts";
import { MAX_NAME, MAX_SENTENCE, SESSION_PROTOCOL } from "../src/session/message.ts";

const read = (path: string) => readFileSync(join(import.meta.dirname, path), "utf8");
const README = read("../README.md");
const BINDING = read("../../../docs/formats/binding.md");

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  s: 1000,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** `1,024`, `10 s`, `256 KiB`. */
function parseAmount(text: string): number {
  const [, digits = "", unit = ""] = /^([\d,]+) ?(\w*)$/.exec(text) ?? [];
  return Number(digits.replaceAll(",", "")) * UNITS[unit]!;
}

test("the README says every limit of the wire, with its value", () => {
  const rows = [...README.matchAll(/^\| `([A-Z_]+)` \| ([^|]+) \| [^|]+ \|$/gm)];
  const said = rows.map(([, name = "", amount = ""]) => [name, parseAmount(amount.trim())]);
  assert.deepEqual(Object.fromEntries(said), { ...limits });
  assert.equal(said.length, Object.keys(limits).length, "each stands there once");
  for (const [name, value] of Object.entries({ MAX_NAME, MAX_SENTENCE }))
    assert.match(README, new RegExp(`${value.toLocaleString("en")}[a-z ]* \\(\`${name}\`\\)`));
});

test("the README says the versions that are spoken", () => {
  assert.ok(README.includes(`the gate's is ${MUX_PROTOCOL} (\`MUX_PROTOCOL\``));
  assert.ok(README.includes(`the session's ${SESSION_PROTOCOL} (\`SESSION_PROTOCOL\``));
  assert.ok(README.includes(`ALPN \`${SESSION_ALPN}\``));
});

test("the page on the binding has the labels and the octets that are made", () => {
  for (const label of [BINDING_LABEL, EXPORTER_LABEL]) assert.ok(BINDING.includes(`\`${label}\``));
  const [, octets = ""] = /```text\n([0-9a-f\s]+)```/.exec(BINDING) ?? [];
  const fill = (value: number) => new Uint8Array(32).fill(value);
  const made = encodeBinding({
    nonce: fill(0x11),
    exporter: fill(0x22),
    key: fill(0x33),
    manifest: fill(0x44),
    workload: null,
    owner: null,
  });
  assert.equal(octets.replace(/\s/g, ""), Buffer.from(made).toString("hex"));
  const digest = process.getBuiltinModule("node:crypto").hash("sha512", made);
  assert.ok(BINDING.replace(/\s/g, "").includes(digest));
});
