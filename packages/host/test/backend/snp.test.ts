import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { findFirmware } from "../../src/backend/hardware.ts";
import {
  createSnpBackend,
  encodeSnpArguments,
  openSnpBackend,
  SNP_CPU,
  SNP_DEVICE,
  type SnpMachine,
} from "../../src/backend/snp.ts";
import { CPU_SIGNATURES, encodeCpuSignature } from "../../src/measure/cpu-signature.ts";
import { holdAgainstQemu } from "./hardware.ts";
import { testHardwareBackend } from "./hardware-contract.ts";
import { openQmp, QEMUS, readObjects, readOption } from "./qmp.ts";

const MACHINE: SnpMachine = {
  qemu: "/usr/bin/qemu-system-x86_64",
  firmware: "/usr/share/ovmf/OVMF.amdsev.fd",
  kernel: "/i/kernel",
  initrd: "/i/initrd, with a comma",
  commandLine: "console=ttyS0 a=b,c",
  hostData: new Uint8Array(32).fill(7),
};

test("an SNP guest starts with kernel hashes, an explicit processor, private memory and no debugging", () => {
  const args = encodeSnpArguments(MACHINE);
  const [memory, guest] = readObjects(args);
  assert.deepEqual(memory, {
    "qom-type": "memory-backend-memfd",
    id: "memory",
    size: 2 ** 31,
    share: true,
  });
  assert.deepEqual(guest, {
    "qom-type": "sev-snp-guest",
    id: "snp",
    policy: 0x30000,
    cbitpos: 51,
    "reduced-phys-bits": 1,
    "kernel-hashes": true,
    "host-data": Buffer.alloc(32, 7).toString("base64"),
  });
  assert.match(
    readOption(args, "-machine"),
    /^q35,confidential-guest-support=snp,memory-backend=memory,/,
  );
  assert.equal(readOption(args, "-cpu"), "EPYC-v4");
  assert.equal(readOption(args, "-accel"), "kvm");
  assert.equal(readOption(args, "-bios"), MACHINE.firmware);
  assert.equal(readOption(args, "-m"), "2048M");
  for (const [word, value] of [
    ["-kernel", MACHINE.kernel],
    ["-initrd", MACHINE.initrd],
    ["-append", MACHINE.commandLine],
  ] as const)
    assert.equal(readOption(args, word), value);
  for (const word of ["-drive", "-netdev", "-nic", "-virtfs", "-monitor"])
    assert.ok(!args.includes(word));
  assert.ok(CPU_SIGNATURES.has(SNP_CPU));
});

test("options of an SNP guest are taken as given, and host data of another length refused", () => {
  const args = encodeSnpArguments({
    ...MACHINE,
    cpu: "EPYC-Turin",
    vcpus: 4,
    memoryMib: 512,
    policy: 0x20000n,
    cbitpos: 47,
    reducedPhysBits: 5,
  });
  const [memory, guest] = readObjects(args);
  assert.equal(memory!["size"], 512 * 2 ** 20);
  assert.equal(guest!["policy"], 0x20000);
  assert.equal(guest!["cbitpos"], 47);
  assert.equal(guest!["reduced-phys-bits"], 5);
  assert.equal(readOption(args, "-cpu"), "EPYC-Turin");
  assert.equal(readOption(args, "-smp"), "4");
  for (const length of [0, 31, 33, 48])
    assert.throws(
      () => encodeSnpArguments({ ...MACHINE, hostData: new Uint8Array(length) }),
      RangeError,
    );
});

test("QEMU knows every option of an SNP guest, and reads their values", async (t) => {
  const held = await holdAgainstQemu(encodeSnpArguments(MACHINE), "sev-snp-guest");
  if (held === 0) t.skip("no QEMU here has 'sev-snp-guest'");
});

test("QEMU's models of processors have the CPUID signatures of the table, all of them", async (t) => {
  if (QEMUS.length === 0) return t.skip("no QEMU here");
  for (const qemu of QEMUS) {
    const qmp = await openQmp(qemu, ["-accel", "tcg"]);
    try {
      const models = (await qmp.ask("query-cpu-definitions")) as { name: string }[];
      const names = models.map(({ name }) => name).filter((name) => /^EPYC/.test(name));
      assert.ok(names.length >= 16, `${names}`);
      for (const name of names) {
        const { model } = (await qmp.ask("query-cpu-model-expansion", {
          type: "full",
          model: { name },
        })) as { model: { props: Record<"family" | "model" | "stepping", number> } };
        assert.equal(CPU_SIGNATURES.get(name), encodeCpuSignature(model.props), `${qemu} ${name}`);
      }
    } finally {
      await qmp.close();
    }
  }
});

const source = { engine: process.execPath, runtime: import.meta.filename };

test("the backend says what a machine without SEV-SNP lacks", {
  skip: existsSync(SNP_DEVICE),
}, () => {
  assert.throws(() => openSnpBackend(source), {
    code: "backend/unavailable",
    message: /'snp' cannot run here: there is no \/dev\/sev/,
  });
});

testHardwareBackend("snp", createSnpBackend);

test("firmware is looked for where distributions put it", () => {
  assert.equal(
    findFirmware("snp", () => false),
    null,
  );
  assert.equal(
    findFirmware("snp", (path) => String(path).startsWith("/usr/share/edk2")),
    "/usr/share/edk2/ovmf/OVMF.amdsev.fd",
  );
});
