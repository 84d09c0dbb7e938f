/** Probes of what Donjon itself needs: a built image, a KVM that boots its kernel, collateral of the vendors. */
import { findQemu } from "../backend/qemu/find.ts";
import { KVM_DEVICE, type KvmAnswer, type KvmProbe } from "../backend/qemu/probe-kvm.ts";
import type { ImageSearch } from "../image/find.ts";
import type { Answer, Probe } from "./finding.ts";
import type { Machine } from "./machine.ts";

export interface KeepProbeOptions {
  readonly searchImage: () => ImageSearch;
  readonly probeKvm: (probe: KvmProbe) => Promise<KvmAnswer>;
  /** Where this user's commands keep what vendors publish. */
  readonly collateral: string;
}

/** Where Intel's own library reads which service to ask. */
const QCNL_CONFIG = "/etc/sgx_default_qcnl.conf";

export function listKeepProbes(machine: Machine, options: KeepProbeOptions): readonly Probe[] {
  return [
    {
      name: "kvm",
      tried: `${KVM_DEVICE}, and the start of a kernel on it`,
      run: () => probeKvmDevice(machine, options),
    },
    { name: "image", tried: "the image built last", run: () => describeImage(options) },
    {
      name: "collateral",
      tried: `${options.collateral}, ${QCNL_CONFIG}`,
      run: () => describeCollateral(machine, options),
    },
  ];
}

/** The device alone says nothing: some nested hypervisors offer one on which no kernel gets to its first line. */
async function probeKvmDevice(machine: Machine, options: KeepProbeOptions): Promise<Answer> {
  const access = machine.access(KVM_DEVICE);
  if (access !== "usable") {
    const denied = access === "denied";
    return {
      state: "no",
      found: denied ? `${KVM_DEVICE} may not be used by this user` : `there is no ${KVM_DEVICE}`,
      todo: denied
        ? "add this user to the group kvm, and log in again"
        : "turn on virtualisation in the firmware's setup, or use a machine that is not virtual itself",
      facts: { device: access },
    };
  }
  const qemu = findQemu((path) => machine.exists(path));
  const { image } = options.searchImage();
  if (qemu === null || image === null) {
    const found = `${KVM_DEVICE} is there; whether it boots a kernel was not tried`;
    const todo = qemu === null ? "install QEMU" : "'donjon image build' builds a kernel to try";
    return { state: "unknown", found, todo, facts: { device: access } };
  }
  const { works, why } = await options.probeKvm({ qemu, kernel: image.vmlinux });
  return {
    state: works ? "yes" : "no",
    found: why,
    todo: works ? null : "use a machine that is not virtual itself; VM Keeps are emulated here",
    facts: { device: access, boots: works },
  };
}

function describeImage({ searchImage }: KeepProbeOptions): Answer {
  const { image, ...rest } = searchImage();
  if (image !== null) {
    const { digest, directory } = image;
    return { state: "yes", found: `digest ${digest}`, facts: { digest, directory } };
  }
  const found = "why" in rest ? rest.why : "no image is built";
  return { state: "no", found, todo: "'donjon image build' builds one" };
}

function describeCollateral(machine: Machine, { collateral }: KeepProbeOptions): Answer {
  const count = machine.list(collateral).filter((name) => name.endsWith(".json")).length;
  const qcnl = machine.exists(QCNL_CONFIG);
  const facts = { directory: collateral, answers: count, intelConfig: qcnl };
  const intel = qcnl ? "; Intel's library is set up" : "";
  if (count > 0) return { state: "yes", found: `${count} answers of vendors kept${intel}`, facts };
  const todo = "it fills by itself when Keeps are verified with a network";
  return { state: "no", found: `none kept yet${intel}`, todo, facts };
}
