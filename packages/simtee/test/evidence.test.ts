/** The real verifier on simulated evidence: what it accepts, and what it refuses. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { appraise } from "@donjon/attest/appraise";
import { AttestError, parseCertificateTable, TABLE_GUID } from "@donjon/attest/snp";
import { openSecurityProcessor, type SecurityProcessor } from "../src/security-processor.ts";
import { OLD_TCB } from "../src/simulated-tcb.ts";
import {
  claimedLaunch,
  evidenceOf,
  KINDS,
  launchOf,
  machineDirectory,
  REPORT_DATA,
  rootsOf,
  verify,
} from "./machines.ts";

const directory = machineDirectory();
let machine: SecurityProcessor;
let stranger: SecurityProcessor;
before(async () => {
  machine = await openSecurityProcessor(directory);
  stranger = await openSecurityProcessor(machineDirectory());
});

const refusedAs = (reason: string) => (error: unknown) => {
  assert.ok(error instanceof AttestError, `wanted an AttestError, found ${error}`);
  assert.equal(error.reason, reason, error.message);
  return true;
};

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const MEASUREMENT = { snp: "measurement", sgx: "mrEnclave" } as const;

for (const kind of KINDS) {
  test(`verify accepts ${kind} evidence when it is handed the machine's root, and says that it was`, async () => {
    const verified = await verify(await evidenceOf(machine, kind), rootsOf(machine.trust));
    assert.deepEqual(claimedLaunch(verified), {
      measurement: hex(launchOf(kind).measurement),
      reportData: hex(REPORT_DATA),
    });
    assert.equal(verified.anchor.origin, "caller");
    assert.match(verified.anchor.name, /^SIMULATED /);
    assert.ok(verified.checks.length > 10);
    assert.ok(verified.checks.every(({ ok, allowed }) => ok && allowed === undefined));
  });

  test(`verify refuses ${kind} evidence by the vendor's own roots`, async () => {
    const reason = kind === "snp" ? "snp/chain" : "intel/pck-chain";
    await assert.rejects(verify(await evidenceOf(machine, kind), undefined), refusedAs(reason));
  });

  test(`verify refuses ${kind} evidence by another machine's root, with either machine's endorsements`, async () => {
    const reason = kind === "snp" ? "snp/root" : "intel/pck-chain";
    const roots = rootsOf(stranger.trust);
    await assert.rejects(verify(await evidenceOf(machine, kind), roots), refusedAs(reason));
    const foreign = await evidenceOf(machine, kind, stranger.trust);
    await assert.rejects(verify(foreign, roots), refusedAs(reason));
  });

  test(`verify refuses ${kind} evidence with one octet changed, whichever it is`, async () => {
    const set = await evidenceOf(machine, kind);
    const roots = rootsOf(machine.trust);
    // Of a quote: all but the PCK chain, which has signatures of its own.
    const end = kind === "snp" ? set.evidence.length : 48 + 384 + 4 + 64 + 64 + 384 + 64 + 2 + 32;
    for (let at = 0; at < end; at += 1) {
      const evidence = set.evidence.slice();
      evidence[at]! ^= 1 << (at % 8);
      await assert.rejects(
        verify({ ...set, evidence }, roots),
        (error) => error instanceof AttestError,
        `octet ${at}`,
      );
    }
  });

  test(`a policy that names measurement and report data accepts ${kind} evidence, one that names others refuses it`, async () => {
    const verified = await verify(await evidenceOf(machine, kind), rootsOf(machine.trust));
    const policy = (octet: number, reportData: Uint8Array) => ({
      [kind]: {
        [MEASUREMENT[kind]]: [hex(launchOf(kind, octet).measurement)],
        reportData: [hex(reportData)],
      },
    });
    const verdict = (octet: number, reportData: Uint8Array) => {
      const { checks } = appraise(verified, policy(octet, reportData));
      return checks.filter(({ ok }) => !ok).map(({ code }) => code);
    };
    assert.deepEqual(verdict(0x5a, REPORT_DATA), []);
    assert.deepEqual(verdict(0x5b, REPORT_DATA), ["policy/measurement"]);
    assert.deepEqual(verdict(0x5a, new Uint8Array(64)), ["policy/report-data"]);
  });

  test(`an older TCB is genuine ${kind} evidence that a policy notices, and nothing of it stays`, async () => {
    const files = () =>
      ["keys.json", "trust.json"].map((name) => readFileSync(join(directory, name), "utf8"));
    const [old, stored] = [await openSecurityProcessor(directory, { tcb: OLD_TCB }), files()];
    const verified = await verify(await evidenceOf(old, kind), rootsOf(machine.trust));
    const any = { [MEASUREMENT[kind]]: "any", reportData: "any" };
    const floor = { minimumReportedTcb: { snp: 24 } };
    const { checks } = appraise(verified, {
      [kind]: kind === "snp" ? { ...any, ...floor } : any,
    });
    const failed = checks.filter(({ ok }) => !ok);
    assert.deepEqual(
      failed.map(({ code }) => code),
      [kind === "snp" ? "policy/tcb" : "policy/tcb-status"],
    );
    assert.match(failed[0]!.found, kind === "snp" ? /14/ : /OutOfDate/);
    assert.deepEqual(files(), stored);
  });

  test(`${kind} evidence wants a measurement and report data of the right length`, async () => {
    const launch = launchOf(kind);
    const wrong = { tee: kind, measurement: launch.measurement.subarray(1) };
    await assert.rejects(machine.createEvidence(wrong, REPORT_DATA), RangeError);
    await assert.rejects(machine.createEvidence(launch, REPORT_DATA.subarray(1)), RangeError);
    await assert.rejects(machine.createEvidence(launch, new Uint8Array(65)), RangeError);
  });

  test(`${kind} evidence is of the octets given at the call, whatever is written to them afterwards`, async () => {
    const fresh = await openSecurityProcessor(directory);
    const [launch, reportData] = [launchOf(kind), REPORT_DATA.slice()];
    const made = fresh.createEvidence(launch, reportData);
    launch.measurement.fill(0);
    reportData.fill(0);
    const { evidence } = await made;
    assert.ok(hex(evidence).includes(hex(launchOf(kind).measurement)));
    assert.ok(hex(evidence).includes(hex(REPORT_DATA)));
  });
}

test("an SNP report brings VCEK, ASK, ARK and CRL; an SGX quote brings its chain inside", async () => {
  const snp = await machine.createEvidence(launchOf("snp"), REPORT_DATA);
  const { vcek, ask, ark, crl } = TABLE_GUID;
  assert.deepEqual(
    parseCertificateTable(snp.auxiliary).map(({ guid }) => guid),
    [vcek, ask, ark, crl],
  );
  const sgx = await machine.createEvidence(launchOf("sgx"), REPORT_DATA);
  assert.equal(sgx.auxiliary.length, 0);
  const text = Buffer.from(sgx.evidence).toString("latin1");
  assert.equal(text.match(/-----BEGIN CERTIFICATE-----/g)?.length, 3);
});

test("a machine keeps its chip identity when it is opened again, and no two machines share one", async () => {
  const chipOf = async (processor: SecurityProcessor) => {
    const { evidence } = await processor.createEvidence(launchOf("snp"), REPORT_DATA);
    return hex(evidence.subarray(0x1a0, 0x1e0));
  };
  const again = await openSecurityProcessor(directory);
  assert.equal(await chipOf(again), await chipOf(machine));
  assert.equal(again.trust.fingerprint, machine.trust.fingerprint);
  assert.notEqual(await chipOf(stranger), await chipOf(machine));
  assert.notEqual(stranger.trust.fingerprint, machine.trust.fingerprint);
});
