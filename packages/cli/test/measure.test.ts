import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { parsePolicyToml } from "@donjon/attest/appraise";
import { buildFirmware, WITHOUT_HASHES } from "../../host/test/measure/synthetic-firmware.ts";
import { createFiles, type Ended, runCommand } from "./command.ts";

/** An image's folder as far as measuring reads it, and firmware. */
function createImage(t: TestContext): string {
  return createFiles(t, {
    "image/kernel": "kernel",
    "image/initrd.cpio.zst": "initrd",
    "image/cmdline": "quiet",
    "image/tree/keep/engine": "engine",
    "image/tree/keep/runtime.cjs": "runtime",
    "good.fd": buildFirmware(),
    "plain.fd": buildFirmware({ sections: WITHOUT_HASHES }),
  });
}

function measure(folder: string, ...args: readonly string[]): Promise<Ended> {
  return runCommand(["image", "measure", "--image", "image", ...args], { cwd: folder });
}

test("what 'image measure' prints, writes and says as JSON are the same values, and a policy", async (t) => {
  const folder = createImage(t);
  const args = ["--tee", "snp", "--firmware", "good.fd", "--cpu", "EPYC-Genoa", "--vcpus", "2"];
  const printed = await measure(folder, ...args);
  assert.equal(printed.code, 0, printed.stderr);
  const policy = parsePolicyToml(printed.stdout.toString());
  assert.match(policy.snp!.measurement![0]!, /^[0-9a-f]{96}$/);
  const written = await measure(folder, ...args, "--json", "-o", "out.toml");
  assert.equal(written.code, 0, written.stderr);
  assert.equal(readFileSync(join(folder, "out.toml"), "utf8"), printed.stdout.toString());
  const { tee, policy: table, files } = JSON.parse(written.stdout.toString());
  assert.equal(tee, "snp");
  assert.deepEqual(parsePolicyToml(printed.stdout.toString()), { snp: table });
  assert.equal(files.firmware.path, "good.fd");
});

test("processor and number of processors change the value that 'image measure' prints", async (t) => {
  const folder = createImage(t);
  const values = new Set<string>();
  for (const args of [[], ["--vcpus", "2"], ["--cpu", "EPYC-Turin"]]) {
    const { stdout } = await measure(folder, "--tee", "snp", "--firmware", "good.fd", ...args);
    values.add(/measurement = .*/.exec(stdout.toString())![0]);
  }
  assert.equal(values.size, 3);
});

test("'image measure' refuses what it cannot measure, in one sentence, and writes nothing", async (t) => {
  const folder = createImage(t);
  const cases: [string[], RegExp][] = [
    [["--tee", "snp", "--firmware", "plain.fd"], /no section for kernel hashes/],
    [["--tee", "snp", "--firmware", "image/kernel"], /found 6 octets/],
    [["--tee", "snp", "--firmware", "none.fd"], /'none.fd' cannot be read/],
    [["--tee", "snp", "--firmware", "good.fd", "--cpu", "Skylake"], /processor model 'Skylake'/],
    [["--tee", "snp", "--firmware", "good.fd", "--vcpus", "0"], /--vcpus wants a number/],
    [["--tee", "tdx", "--firmware", "good.fd"], /no TDX metadata|no DOS header/],
    [["--tee", "tdx", "--firmware", "good.fd", "--cpu", "EPYC"], /are for --tee snp/],
    [["--firmware", "good.fd"], /--tee/],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await measure(folder, ...args);
    assert.equal(code, 125, stderr);
    assert.equal(stdout.length, 0);
    assert.match(stderr, message);
  }
});
