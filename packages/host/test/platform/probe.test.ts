import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type ImageSearch, imageFiles } from "../../src/image/find.ts";
import { FINDING_NAMES, runProbe } from "../../src/platform/finding.ts";
import { createMachine } from "../../src/platform/machine.ts";
import {
  chooseBackend,
  type Platform,
  type PlatformOptions,
  probePlatform,
} from "../../src/platform/probe.ts";
import {
  AMD_SERVER,
  BARE,
  createFakeMachine,
  type FakeMachine,
  INTEL_SERVER,
} from "./fake-machine.ts";

const SOURCE = { engine: process.execPath, runtime: import.meta.filename };
const IMAGE: ImageSearch = { image: imageFiles("/images/a", "ab".repeat(32)) };

function probe(
  t: TestContext,
  fake: FakeMachine,
  options: PlatformOptions = {},
): Promise<Platform> {
  return probePlatform(SOURCE, {
    machine: createFakeMachine(t, fake),
    searchImage: () => IMAGE,
    probeKvm: async () => ({ works: true, why: "a kernel booted on it in 100 ms" }),
    collateral: "/cache",
    ...options,
  });
}

function find({ findings }: Platform, name: string) {
  const finding = findings.find((each) => each.name === name);
  assert.ok(finding, name);
  return finding;
}

function backend({ backends }: Platform, name: string) {
  const found = backends.find((each) => each.name === name);
  assert.ok(found, name);
  return found;
}

function change(fake: FakeMachine, files: Record<string, string | null>): FakeMachine {
  const all = Object.entries({ ...fake.files, ...files });
  return {
    ...fake,
    files: Object.fromEntries(all.filter(([, text]) => text !== null)) as Record<string, string>,
  };
}

test("every finding says what was tried, whatever the machine", async (t) => {
  for (const fake of [AMD_SERVER, INTEL_SERVER, BARE, { files: {} }]) {
    const { findings } = await probe(t, fake);
    assert.deepEqual(findings.map(({ name }) => name).sort(), [...FINDING_NAMES].sort());
    for (const { found, tried } of findings) assert.ok(found.length > 0 && tried.length > 0);
  }
});

test("an AMD server with SNP on runs SNP Keeps, and they are chosen", async (t) => {
  const platform = await probe(t, AMD_SERVER);
  assert.equal(chooseBackend(platform), "snp");
  assert.deepEqual(backend(platform, "snp"), {
    name: "snp",
    protects: true,
    available: true,
    detail: "not yet run on hardware",
  });
  assert.match(
    find(platform, "microcode").found,
    /microcode 0xa10113e, bios 1\.10\.6, pspBootloader 00\.31\.01\.77/,
  );
  assert.equal(find(platform, "processor").facts["flags"], "svm sme sev sev_es sev_snp");
  assert.equal(find(platform, "processor").facts["family"], 25);
  assert.equal(find(platform, "image").facts["digest"], "ab".repeat(32));
});

test("an Intel server with TDX on runs TDX Keeps, and they are chosen; SGX is seen but not started", async (t) => {
  const platform = await probe(t, INTEL_SERVER);
  assert.equal(chooseBackend(platform), "tdx");
  assert.equal(find(platform, "sgx").state, "yes");
  assert.equal(find(platform, "collateral").facts["intelConfig"], true);
  assert.match(backend(platform, "sgx").detail, /starts no SGX Keeps/);
});

test("no kind of Keep is chosen when one thing that it needs is missing, and the finding says what to do", async (t) => {
  const off = { works: false, why: "a kernel did not boot on it within 5000 ms" };
  const cases: [FakeMachine, PlatformOptions, string, RegExp][] = [
    [change(AMD_SERVER, { "/dev/sev": null }), {}, "snp", /\/dev\/sev is missing/],
    [{ ...AMD_SERVER, denied: ["/dev/sev"] }, {}, "snp", /\/dev\/sev is denied/],
    [
      change(AMD_SERVER, { "/sys/module/kvm_amd/parameters/sev_snp": "N" }),
      {},
      "snp",
      /turned off/,
    ],
    [change(AMD_SERVER, { "/usr/share/ovmf/OVMF.amdsev.fd": null }), {}, "snp-firmware", /none of/],
    [change(AMD_SERVER, { "/usr/bin/qemu-system-x86_64": null }), {}, "qemu", /not installed/],
    [change(AMD_SERVER, { "/dev/kvm": null }), {}, "kvm", /there is no \/dev\/kvm/],
    [{ ...AMD_SERVER, denied: ["/dev/kvm"] }, {}, "kvm", /may not be used by this user/],
    [AMD_SERVER, { probeKvm: async () => off }, "kvm", /did not boot/],
    [
      AMD_SERVER,
      { searchImage: () => ({ image: null, why: "no image is built" }) },
      "image",
      /no image is built/,
    ],
    [
      change(INTEL_SERVER, { "/sys/module/kvm_intel/parameters/tdx": "N" }),
      {},
      "tdx",
      /turned off/,
    ],
    [
      change(INTEL_SERVER, { "/usr/share/edk2/ovmf/OVMF.inteltdx.fd": null }),
      {},
      "tdx-firmware",
      /none of/,
    ],
  ];
  for (const [fake, options, name, message] of cases) {
    const platform = await probe(t, fake, options);
    assert.equal(chooseBackend(platform), null, name);
    const finding = find(platform, name);
    assert.equal(finding.state, "no");
    assert.match(finding.found, message);
    assert.ok(finding.todo, `${name} says what to do`);
    assert.ok(backend(platform, "process").available);
  }
});

test("a QEMU without the object of a protection cannot start it", async (t) => {
  const commands = {
    ...AMD_SERVER.commands,
    "/usr/bin/qemu-system-x86_64 -object help": "  sev-guest\n",
  };
  for (const [fake, name] of [
    [AMD_SERVER, "snp"],
    [INTEL_SERVER, "tdx"],
  ] as const) {
    const platform = await probe(t, { ...fake, commands });
    assert.equal(chooseBackend(platform), null);
    assert.match(backend(platform, name).detail, /QEMU 10\.1\.2, without sev-snp-guest/);
  }
});

test("a virtual machine with nothing installed runs process Keeps only", async (t) => {
  const platform = await probe(t, BARE, {
    searchImage: () => ({ image: null, why: "no image is built" }),
  });
  assert.deepEqual(
    platform.backends.filter(({ available }) => available).map(({ name }) => name),
    ["process"],
  );
  assert.match(find(platform, "snp").found, /virtual machine without SEV-SNP/);
  assert.match(find(platform, "processor").found, /this is a virtual machine/);
});

test("a Keep that is emulated is available and does not protect", async (t) => {
  const platform = await probe(t, AMD_SERVER, {
    probeKvm: async () => ({ works: false, why: "no" }),
  });
  const { available, protects, detail } = backend(platform, "vm");
  assert.deepEqual([available, protects], [true, false]);
  assert.match(detail, /emulated/);
});

test("the kernel of the image is what KVM is tried with", async (t) => {
  let tried = "";
  await probe(t, AMD_SERVER, {
    async probeKvm({ kernel, qemu }) {
      tried = `${qemu} ${kernel}`;
      return { works: true, why: "" };
    },
  });
  assert.equal(tried, "/usr/bin/qemu-system-x86_64 /images/a/vmlinux");
});

test("bubblewrap that does not work says which setting keeps it from that", async (t) => {
  const setting = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";
  const fake = change({ ...AMD_SERVER, commands: {} }, { [setting]: "1\n" });
  const finding = find(await probe(t, fake), "bubblewrap");
  assert.equal(finding.state, "no");
  assert.match(finding.todo!, new RegExp(`${setting} is 1`));
});

test("a probe that hangs or throws is unknown within its time limit, and the others answer", async (t) => {
  const platform = await probe(t, AMD_SERVER, {
    timeoutMs: 50,
    probeKvm: () => new Promise(() => {}),
    searchImage: () => IMAGE,
  });
  assert.equal(find(platform, "kvm").state, "unknown");
  assert.match(find(platform, "kvm").found, /no answer within 50 ms/);
  assert.equal(find(platform, "snp").state, "yes");
  assert.equal(chooseBackend(platform), null);
  const throwing = await probe(t, AMD_SERVER, {
    searchImage: () => {
      throw new Error("broken");
    },
  });
  assert.match(find(throwing, "image").found, /the probe failed: broken/);
  const finding = await runProbe(
    { name: "sgx", tried: "x", run: () => Promise.reject("no error") },
    1000,
  );
  assert.equal(finding.state, "unknown");
});

test("broken files and folders in place of files end no probe", async (t) => {
  const paths = Object.keys({ ...AMD_SERVER.files, ...INTEL_SERVER.files });
  const noise = Object.fromEntries(paths.map((path) => [path, "\0\xff: :\n".repeat(1000)]));
  const platform = await probe(t, { files: noise, commands: {} });
  assert.equal(chooseBackend(platform), null);
  const root = await mkdtemp(join(tmpdir(), "donjon-platform-"));
  t.after(() => rm(root, { recursive: true }));
  for (const path of paths) mkdirSync(join(root, path), { recursive: true });
  const { run: _, ...machine } = createMachine(root);
  const folders = await probePlatform(SOURCE, {
    machine: { ...machine, run: async () => ({ code: 0, stdout: "", stderr: "" }) },
    searchImage: () => IMAGE,
    probeKvm: async () => ({ works: true, why: "" }),
    collateral: "/cache",
  });
  assert.equal(chooseBackend(folders), null);
});

test("commands end by their time limit or their amount of output, and are never an exception", async () => {
  const { run } = createMachine();
  assert.deepEqual(await run("/nonexistent/program", []), { code: null, stdout: "", stderr: "" });
  assert.equal((await run("/bin/sh", ["-c", "exit 3"])).code, 3);
  assert.equal((await run("/bin/cat", [])).code, 0);
  const flood = await run("/bin/sh", ["-c", "yes"]);
  assert.equal(flood.code, null);
});

test("answers of vendors in the cache are counted", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "donjon-collateral-"));
  t.after(() => rm(folder, { recursive: true }));
  for (const name of ["a.json", "b.json", "c.json.draft"]) writeFileSync(join(folder, name), "");
  const platform = await probePlatform(SOURCE, {
    machine: createMachine("/"),
    searchImage: () => ({ image: null, why: "not looked for" }),
    collateral: folder,
  });
  assert.equal(find(platform, "collateral").facts["answers"], 2);
});

test("this machine is probed within its time limits, and what is chosen is available", async () => {
  const platform = await probePlatform(SOURCE);
  const chosen = chooseBackend(platform);
  if (chosen !== null) assert.ok(backend(platform, chosen).available);
  assert.equal(find(platform, "processor").state, "yes");
  assert.ok(backend(platform, "process").available);
});
