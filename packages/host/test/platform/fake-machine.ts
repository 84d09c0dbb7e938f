/** Machines that are not here: a folder for a root, and commands that answer from a table. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { type CommandResult, createMachine, type Machine } from "../../src/platform/machine.ts";

export interface FakeMachine {
  /** By absolute path. */
  readonly files: Readonly<Record<string, string>>;
  /** Files that this user may not use. */
  readonly denied?: readonly string[];
  /** Output by program and arguments, joined by spaces; others fail to start. */
  readonly commands?: Readonly<Record<string, string>>;
}

const NO_PROGRAM: CommandResult = { code: null, stdout: "", stderr: "" };

export function createFakeMachine(t: TestContext, fake: FakeMachine): Machine {
  const root = mkdtempSync(join(tmpdir(), "donjon-platform-"));
  t.after(() => rmSync(root, { recursive: true }));
  for (const [path, text] of Object.entries(fake.files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const machine = createMachine(root);
  const { denied = [], commands = {} } = fake;
  for (const path of denied) chmodSync(join(root, path), 0);
  return {
    ...machine,
    // Root may use any file, whatever its mode.
    access: (path) => (denied.includes(path) ? "denied" : machine.access(path)),
    async run(program, args) {
      const stdout = commands[[program, ...args].join(" ")];
      return stdout === undefined ? NO_PROGRAM : { code: 0, stdout, stderr: "" };
    },
  };
}

const QEMU = "/usr/bin/qemu-system-x86_64";

function cpuinfo(vendor: string, model: string, flags: string): string {
  const fields = [
    `vendor_id\t: ${vendor}`,
    "cpu family\t: 25",
    "model\t\t: 17",
    `model name\t: ${model}`,
    "stepping\t: 1",
    "microcode\t: 0xa10113e",
    `flags\t\t: fpu vme ${flags}`,
  ].join("\n");
  return `processor\t: 0\n${fields}\n\nprocessor\t: 1\n${fields}\n`;
}

const COMMON = {
  "/dev/kvm": "",
  [QEMU]: "",
  "/usr/bin/bwrap": "",
};
const COMMANDS = {
  [`${QEMU} --version`]: "QEMU emulator version 10.1.2 (Debian)\n",
  [`${QEMU} -object help`]: "List of objects:\n  sev-guest\n  sev-snp-guest\n  tdx-guest\n",
  "/usr/bin/bwrap --unshare-all --ro-bind / / -- /bin/true": "",
};

export const AMD_SERVER: FakeMachine = {
  files: {
    ...COMMON,
    "/proc/cpuinfo": cpuinfo("AuthenticAMD", "AMD EPYC 9354", "svm sme sev sev_es sev_snp"),
    "/dev/sev": "",
    "/sys/module/kvm_amd/parameters/sev_snp": "Y\n",
    "/sys/bus/pci/drivers/ccp/0000:46:00.1/bootloader_version": "00.31.01.77\n",
    "/sys/bus/pci/drivers/ccp/0000:46:00.1/tee_version": "00.31.00.77\n",
    "/sys/class/dmi/id/bios_version": "1.10.6\n",
    "/usr/share/ovmf/OVMF.amdsev.fd": "",
  },
  commands: COMMANDS,
};

export const INTEL_SERVER: FakeMachine = {
  files: {
    ...COMMON,
    "/proc/cpuinfo": cpuinfo(
      "GenuineIntel",
      "INTEL(R) XEON(R) 6787P",
      "vmx sgx sgx_lc tdx_host_platform",
    ),
    "/sys/module/kvm_intel/parameters/tdx": "Y\n",
    "/usr/share/edk2/ovmf/OVMF.inteltdx.fd": "",
    "/dev/sgx_enclave": "",
    "/dev/sgx_provision": "",
    "/etc/sgx_default_qcnl.conf": "{}",
  },
  commands: COMMANDS,
};

/** A small virtual machine with nothing installed. */
export const BARE: FakeMachine = {
  files: { "/proc/cpuinfo": cpuinfo("AuthenticAMD", "AMD EPYC", "hypervisor") },
};
