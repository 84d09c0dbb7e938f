/**
 * Whether KVM runs a kernel here. `/dev/kvm` alone does not say so: some nested hypervisors offer one on which a kernel
 * never gets to its first line. So a kernel is booted, once for each boot of this machine, and the answer is kept.
 */
import { accessSync, constants, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeDirectory } from "../../files/make-directory.ts";
import { stateDirectory } from "../../image/places.ts";
import { readStamp } from "../../image/stamp.ts";
import { encodeQemuArguments } from "./arguments.ts";
import { findConfinement } from "./confine.ts";
import { startQemu } from "./start.ts";

export const KVM_DEVICE = "/dev/kvm";
/** A kernel without a root file system is at its end in less than a second on KVM. */
const PROBE_MS = 5000;
const LAST_LINE = /Kernel panic - not syncing: VFS/;

export interface KvmAnswer {
  readonly works: boolean;
  /** One clause for people. */
  readonly why: string;
}

export interface KvmProbe {
  readonly qemu: string;
  /** An uncompressed kernel. */
  readonly kernel: string;
  /** Where answers are kept. */
  readonly state?: string;
  readonly timeoutMs?: number;
}

/** Never rejects: what cannot be found out is a no. */
export async function probeKvm(probe: KvmProbe): Promise<KvmAnswer> {
  try {
    accessSync(KVM_DEVICE, constants.R_OK | constants.W_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENOENT"
      ? { works: false, why: `there is no ${KVM_DEVICE}` }
      : { works: false, why: `${KVM_DEVICE} may not be used by this user` };
  }
  const path = join(probe.state ?? stateDirectory(), "kvm.json");
  const key = readKey(probe);
  const known = readAnswer(path, key);
  if (known !== null) return known;
  const answer = await bootKernel(probe);
  try {
    makeDirectory(join(path, ".."));
    writeFileSync(path, JSON.stringify({ key, ...answer }), { mode: 0o600 });
  } catch {
    // Without a place to keep it, the next start asks again.
  }
  return answer;
}

/** This boot of this machine, this QEMU and this kernel. */
function readKey({ qemu, kernel }: KvmProbe): string {
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return JSON.stringify([boot, qemu, readStamp(qemu), kernel, readStamp(kernel)]);
}

function readAnswer(path: string, wanted: string): KvmAnswer | null {
  try {
    const { key, works, why } = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    const known = key === wanted && typeof works === "boolean" && typeof why === "string";
    return known ? { works, why } : null;
  } catch {
    return null;
  }
}

async function bootKernel({ qemu, kernel, timeoutMs = PROBE_MS }: KvmProbe): Promise<KvmAnswer> {
  const args = encodeQemuArguments({
    machine: "q35,acpi=off",
    accelerator: "kvm",
    cpu: "host",
    vcpus: 1,
    memoryMib: 256,
    kernel,
    initrd: null,
    commandLine: "console=ttyS0 acpi=off panic=-1 reboot=t",
  });
  const lines: string[] = [];
  let booted = false;
  const started = performance.now();
  const machine = startQemu(
    findConfinement().wrap([qemu, ...args], [kernel], [KVM_DEVICE]),
    (line) => {
      lines.push(line);
      booted ||= LAST_LINE.test(line);
    },
  );
  const timer = setTimeout(() => machine.kill(), timeoutMs);
  await machine.ended;
  clearTimeout(timer);
  const ms = Math.round(performance.now() - started);
  if (booted) return { works: true, why: `a kernel booted on it in ${ms} ms` };
  const last = lines.at(-1);
  const said = last === undefined ? "without a word" : `last line: ${last.slice(0, 200)}`;
  return { works: false, why: `a kernel did not boot on it in ${ms} ms (${said})` };
}
