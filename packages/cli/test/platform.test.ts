import assert from "node:assert/strict";
import { test } from "node:test";
import { FINDING_NAMES } from "@donjon/host/platform/finding";
import type { Platform } from "@donjon/host/platform/probe";
import { createStyle } from "../src/output/style.ts";
import { formatPlatform } from "../src/platform/commands.ts";
import { runCommand } from "./command.ts";

const PLAIN = createStyle({ isTTY: false });

test("'platform' says every finding, and its exit code whether a Keep can be protected here", async () => {
  const text = await runCommand(["platform"]);
  for (const name of FINDING_NAMES)
    assert.match(text.stdout.toString(), new RegExp(`\\b${name}\\b`));
  const json = await runCommand(["platform", "--json"]);
  const { backend, backends, findings } = JSON.parse(json.stdout.toString());
  assert.equal(json.code, backend === null ? 1 : 0);
  assert.equal(text.code, json.code);
  assert.equal(text.stdout.includes("INSECURE"), backend === null);
  assert.equal(findings.length, FINDING_NAMES.length);
  assert.deepEqual(
    backends.map(({ name }: { name: string }) => name),
    ["snp", "tdx", "sgx", "vm", "process"],
  );
});

const BASE = { tried: "/dev/x", todo: null, facts: {} } as const;
const PROCESS = { name: "process", protects: false, available: true, detail: "runs" } as const;

test("advice is given for misses, and for hardware's parts only where the hardware is", () => {
  const platform = (snp: "yes" | "no"): Platform => ({
    findings: [
      { ...BASE, name: "snp", state: snp, found: "a" },
      { ...BASE, name: "snp-firmware", state: "no", found: "b", todo: "install it" },
      { ...BASE, name: "kvm", state: "no", found: "c", todo: "turn it on" },
    ],
    backends: [PROCESS],
  });
  const without = formatPlatform(platform("no"), PLAIN);
  assert.match(without, /kvm +turn it on \(tried: \/dev\/x\)/);
  assert.doesNotMatch(without, /install it/);
  assert.match(
    without,
    /INSECURE: no hardware protects a Keep here; only unprotected ones run \(process\)/,
  );
  assert.match(formatPlatform(platform("yes"), PLAIN), /snp-firmware +install it/);
});

test("a protected kind is named, and control characters of the machine do not reach the terminal", () => {
  const text = formatPlatform(
    {
      findings: [{ ...BASE, name: "processor", state: "yes", found: "AMD\u001b[2J" }],
      backends: [{ name: "snp", protects: true, available: true, detail: "d" }, PROCESS],
    },
    PLAIN,
  );
  assert.match(text, /Keeps of the kind 'snp' are protected here/);
  assert.doesNotMatch(text, /INSECURE/);
  assert.ok(!text.includes("\u001b"));
});
