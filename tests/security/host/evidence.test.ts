/** Hosts that answer a genuine Keep's call for evidence with something else than evidence of that Keep. */
import assert from "node:assert/strict";
import { appendFileSync, copyFileSync } from "node:fs";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { after, describe, test } from "node:test";
import { endorse } from "@donjon/attest/simulated-trust";
import { createSimulatedVerifier, createVerifier } from "@donjon/client/attested/verifier";
import { MAX_PLATFORM_EVIDENCE_BYTES } from "@donjon/protocol/limits";
import { openSecurityProcessor } from "@donjon/simtee/security-processor";
import { OLD_TCB } from "@donjon/simtee/simulated-tcb";
import { signDebugQuote, signDebugReport } from "./support/debug-evidence.ts";
import { encodeAnswer, RUNTIME, readAll, startHost } from "./support/hostile-host.ts";
import { assertRefuses, createSetting, deliver } from "./support/setting.ts";

const setting = await createSetting();
const { processor, createAnswer } = setting;
/** One genuine Keep for all: attestation that fails must not change it. */
const host = startHost({ answer: () => {} });
after(() => host[Symbol.asyncDispose]());
const honest = createAnswer(() => host.keep);
const verify = await setting.createVerifier(host.keep);
const measured = await host.keep.measure();
const visit = () => ({ stream: host.call(), verify });

describe("a host that answers the Keep's call for evidence", () => {
  test("with the answer to an earlier call gets nothing", async () => {
    let earlier: Buffer | undefined;
    host.answer = async (stream, reportData) => {
      const { evidence, auxiliary } = await processor.createEvidence(measured, reportData);
      earlier ??= encodeAnswer({ tee: "sgx", evidence, auxiliary });
      stream.end(earlier);
    };
    const { openAttestedSession } = await import("@donjon/client/attested/open");
    const first = await openAttestedSession(host.call(), {
      identity: setting.owner,
      verify,
      expect: "new",
    });
    first.close();
    await assertRefuses(setting, visit(), {
      code: "evidence/refused",
      reason: "policy/report-data",
    });
  });

  test("with evidence for other report data gets nothing", async () => {
    for (const other of [new Uint8Array(64), Buffer.alloc(64, 0xff)]) {
      host.answer = async (stream) => {
        const { evidence, auxiliary } = await processor.createEvidence(measured, other);
        stream.end(encodeAnswer({ tee: "sgx", evidence, auxiliary }));
      };
      await assertRefuses(setting, visit(), {
        code: "evidence/refused",
        reason: "policy/report-data",
      });
    }
  });

  test("with a simulated root, to a client that did not ask for one, gets nothing", async () => {
    host.answer = honest;
    const pinned = { mrEnclave: [Buffer.from(measured.measurement).toString("hex")] };
    const strict = createVerifier({
      policy: { sgx: pinned },
      // Even with all of the simulated vendor's endorsements at hand.
      endorse: ({ evidence, auxiliary }) => endorse(processor.trust, "sgx", evidence, auxiliary),
    });
    await assertRefuses(
      setting,
      { stream: host.call(), verify: strict },
      { code: "evidence/refused", reason: "intel/pck-chain" },
    );
  });

  test("with the evidence of another machine's security processor gets nothing", async () => {
    const other = await openSecurityProcessor(join(setting.folder, "other"));
    host.answer = async (stream, reportData) => {
      const { evidence, auxiliary } = await other.createEvidence(measured, reportData);
      stream.end(encodeAnswer({ tee: "sgx", evidence, auxiliary }));
    };
    await assertRefuses(setting, visit(), { code: "evidence/refused", reason: "intel/pck-chain" });
  });

  test("with a security version below the floor gets nothing", async () => {
    const old = await openSecurityProcessor(setting.folder, { tcb: OLD_TCB });
    const policy = { sgx: { mrEnclave: [Buffer.from(measured.measurement).toString("hex")] } };
    host.answer = async (stream, reportData) => {
      const { evidence, auxiliary } = await old.createEvidence(measured, reportData);
      stream.end(encodeAnswer({ tee: "sgx", evidence, auxiliary }));
    };
    await assertRefuses(
      setting,
      { stream: host.call(), verify: createSimulatedVerifier(old.trust, { policy }) },
      { code: "evidence/refused", reason: "policy/tcb-status" },
    );
  });

  test("with a debug enclave's quote, or a debug guest's report, gets nothing", async () => {
    const hex = Buffer.from(measured.measurement).toString("hex");
    const launch = "ab".repeat(48);
    const lenient = createSimulatedVerifier(processor.trust, {
      policy: { sgx: { mrEnclave: [hex] }, snp: { measurement: [launch] } },
    });
    const quote = await signDebugQuote(setting.folder, processor.trust, measured.measurement);
    const report = await signDebugReport(setting.folder, processor, Buffer.from(launch, "hex"));
    for (const [tee, sign] of [
      ["sgx", quote],
      ["snp", report],
    ] as const) {
      host.answer = (stream, reportData) =>
        void stream.end(encodeAnswer({ tee, ...sign(reportData) }));
      await assertRefuses(
        setting,
        { stream: host.call(), verify: lenient },
        { code: "evidence/refused", reason: "policy/debug" },
      );
    }
  });

  test("with another kind of evidence than the policy allows gets nothing", async () => {
    host.answer = async (stream, reportData) => {
      const launch = { tee: "snp", measurement: new Uint8Array(48) } as const;
      const { evidence, auxiliary } = await processor.createEvidence(launch, reportData);
      stream.end(encodeAnswer({ tee: "snp", evidence, auxiliary }));
    };
    await assertRefuses(setting, visit(), { code: "evidence/refused", reason: "policy/kind" });
  });

  test("with nothing, noise, huge lengths or no end gets nothing", async () => {
    const answers = [
      Buffer.alloc(0),
      Buffer.of(3),
      Buffer.of(3, 0xff, 0xff, 0xff, 0xff, 1),
      Buffer.of(9, 0, 0, 0, 1, 1),
      Buffer.of(3, 0, 0, 0, 0, 1),
    ];
    for (const answer of answers) {
      host.answer = (stream) => void stream.end(answer);
      await assertRefuses(setting, visit(), { code: "keep/state", message: /no evidence/ });
    }
    host.answer = (stream) => void stream.destroy();
    await assertRefuses(setting, visit(), { code: "keep/state", message: /no evidence/ });
    host.answer = (stream) => pourWithoutEnd(stream);
    await assertRefuses(setting, visit(), {
      code: "keep/state",
      message: new RegExp(`more than ${MAX_PLATFORM_EVIDENCE_BYTES} octets`),
    });
  });

  test("never, or one octet at a time, is left when the client's time is over", async () => {
    const held: Duplex[] = [];
    let trickles = false;
    const trickle = setInterval(() => trickles && held.at(-1)?.write(Buffer.of(3)), 5);
    host.answer = (stream) => void held.push(stream);
    for (trickles of [false, true]) {
      await assertRefuses(setting, { ...visit(), timeoutMs: 300 }, { code: "session/timeout" });
      // A Keep asks for one piece of evidence at a time, and would wait for this one.
      held.pop()!.destroy();
    }
    clearInterval(trickle);
  });
});

test("a host that starts another image, and measures it truthfully, gets nothing", async () => {
  const runtime = join(setting.folder, "keep.cjs");
  copyFileSync(RUNTIME, runtime);
  appendFileSync(runtime, "\n// one line more\n");
  await using other = startHost({ runtime, answer: createAnswer(() => other.keep) });
  await assertRefuses(
    setting,
    { stream: other.call(), verify },
    { code: "evidence/refused", reason: "policy/measurement" },
  );
  assert.equal(await other.health(), "new");
});

test("the Keep that all of them lied about is still new, and serves the client of an honest host", async () => {
  assert.equal(await host.health(), "new");
  host.answer = honest;
  const { run } = await deliver(setting, visit());
  run.stdin.end(setting.planted.stdin);
  assert.deepEqual(await readAll(run.stdout), Buffer.from(setting.planted.stdin));
  assert.deepEqual((await run.result).outcome, { kind: "exit", code: 0 });
});

function pourWithoutEnd(stream: Duplex): void {
  const more = () => {
    while (!stream.destroyed && stream.write(Buffer.alloc(16 << 10, 3)));
  };
  stream.on("drain", more);
  more();
}
