/** Probes of what is installed: QEMU, firmware, bubblewrap, Gramine. */
import { FIRMWARE_PATHS, findFirmware, type HardwareTee } from "../backend/hardware.ts";
import { findQemu } from "../backend/qemu/find.ts";
import { findBubblewrap } from "../backend/sandbox.ts";
import type { Answer, Probe } from "./finding.ts";
import type { Machine } from "./machine.ts";

/** QEMU's object for each protection, and the first version that has it. */
const OBJECTS = { snp: "sev-snp-guest", tdx: "tdx-guest" } as const;
const FIRST_VERSION = { snp: "9.1", tdx: "10.1" } as const;
/** Where to get the firmware. */
const FIRMWARE_ADVICE = {
  snp: "install OVMF built for SEV-SNP: Debian's package ovmf-amdsev, from testing where the release has none",
  tdx: "install OVMF built for TDX without secure boot's keys, such as Fedora's OVMF.inteltdx.fd; Debian's OVMF.inteltdx.ms.fd starts no kernel of an image",
} as const;

const GRAMINE_PATHS = ["/usr/bin/gramine-sgx", "/usr/local/bin/gramine-sgx"];
/** Settings that keep users from making namespaces, and the value that does. */
const NAMESPACE_SETTINGS = [
  ["/proc/sys/user/max_user_namespaces", "0"],
  ["/proc/sys/kernel/unprivileged_userns_clone", "0"],
  ["/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"],
] as const;

export function listToolProbes(machine: Machine): readonly Probe[] {
  return [
    { name: "qemu", tried: "qemu-system-x86_64 -object help", run: () => probeQemu(machine) },
    listFirmwareProbe(machine, "snp"),
    listFirmwareProbe(machine, "tdx"),
    { name: "bubblewrap", tried: "bwrap with new namespaces", run: () => probeBubblewrap(machine) },
    { name: "gramine", tried: GRAMINE_PATHS.join(", "), run: () => probeGramine(machine) },
  ];
}

/** `state` is `yes` for any QEMU; the facts say which protections it can start. */
async function probeQemu(machine: Machine): Promise<Answer> {
  const path = findQemu((candidate) => machine.exists(candidate));
  const todo =
    "install QEMU 10.1 or newer (9.1 is enough for SNP): apt-get install qemu-system-x86";
  if (path === null) return { state: "no", found: "QEMU is not installed", todo };
  const [version, objects] = await Promise.all([
    machine.run(path, ["--version"]),
    machine.run(path, ["-object", "help"]),
  ]);
  const number = /version ([0-9.]+)/.exec(version.stdout)?.[1] ?? null;
  if (version.code !== 0 || number === null) {
    const found = `${path} does not say its version: ${version.stderr.slice(0, 200) || "no output"}`;
    return { state: "no", found, todo, facts: { path } };
  }
  const names = objects.stdout.split(/\s+/);
  const has = { snp: names.includes(OBJECTS.snp), tdx: names.includes(OBJECTS.tdx) };
  const missing = (["snp", "tdx"] as const).filter((tee) => !has[tee]);
  return {
    state: "yes",
    found: `QEMU ${number}${missing.map((tee) => `, without ${OBJECTS[tee]} (new in ${FIRST_VERSION[tee]})`).join("")}`,
    todo: missing.length === 0 ? null : todo,
    facts: { path, version: number, ...has },
  };
}

function listFirmwareProbe(machine: Machine, tee: HardwareTee): Probe {
  return {
    name: `${tee}-firmware`,
    tried: FIRMWARE_PATHS[tee].join(", "),
    run() {
      const path = findFirmware(tee, (candidate) => machine.exists(String(candidate)));
      if (path !== null) return { state: "yes", found: path, facts: { path } };
      return {
        state: "no",
        found: "none of the usual places has it",
        todo: FIRMWARE_ADVICE[tee],
      };
    },
  };
}

async function probeBubblewrap(machine: Machine): Promise<Answer> {
  const path = findBubblewrap((candidate) => machine.exists(candidate));
  if (path === null) {
    const todo = "apt-get install bubblewrap; without it a Keep is confined less";
    return { state: "no", found: "bubblewrap is not installed", todo };
  }
  const args = ["--unshare-all", "--ro-bind", "/", "/", "--", "/bin/true"];
  const { code, stderr } = await machine.run(path, args);
  if (code === 0) return { state: "yes", found: `${path} makes namespaces`, facts: { path } };
  const settings = NAMESPACE_SETTINGS.filter(([file, value]) => machine.readText(file) === value);
  const todo =
    settings.length === 0
      ? "let this user make namespaces (user namespaces)"
      : `let users make namespaces: ${settings.map(([file, value]) => `${file} is ${value}`).join(", ")}`;
  const said = stderr.trim().slice(0, 200) || "no answer";
  return { state: "no", found: `${path} does not work here: ${said}`, todo, facts: { path } };
}

async function probeGramine(machine: Machine): Promise<Answer> {
  const path = GRAMINE_PATHS.find((candidate) => machine.exists(candidate));
  if (path === undefined) {
    const todo = "install Gramine for SGX Keeps";
    return { state: "no", found: "Gramine is not installed", todo };
  }
  const { code, stdout } = await machine.run(path, ["--version"]);
  const version = /Gramine ([0-9.]+)/i.exec(stdout)?.[1] ?? null;
  const found = code === 0 && version !== null ? `Gramine ${version}` : path;
  return { state: "yes", found, facts: { path, version } };
}
