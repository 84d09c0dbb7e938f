/** Which kinds of Keep the findings allow. */
import type { BackendName } from "../backend/backend.ts";
import type { Finding, FindingName } from "./finding.ts";

export interface BackendState {
  readonly name: BackendName;
  /** Whether hardware protects what runs in it. */
  readonly protects: boolean;
  /** Whether a Keep of this kind can be started here. */
  readonly available: boolean;
  /** Why, or why not: a clause for people. */
  readonly detail: string;
}

/** What each kind that hardware protects needs, in the order in which a miss is told. */
const NEEDS = {
  snp: ["snp", "qemu", "snp-firmware", "image", "kvm"],
  tdx: ["tdx", "qemu", "tdx-firmware", "image", "kvm"],
} as const satisfies Record<string, readonly FindingName[]>;

/** In the order of preference. */
export function judgeBackends(findings: readonly Finding[]): readonly BackendState[] {
  const find = (name: FindingName) => findings.find((finding) => finding.name === name);
  return [
    judgeHardware("snp", find),
    judgeHardware("tdx", find),
    judgeSgx(find),
    judgeVm(find),
    {
      name: "process",
      protects: false,
      available: true,
      detail: "runs everywhere; nothing protects it from this machine",
    },
  ];
}

type Find = (name: FindingName) => Finding | undefined;

function judgeHardware(name: "snp" | "tdx", find: Find): BackendState {
  const miss = NEEDS[name].find((need) => find(need)?.state !== "yes");
  if (miss !== undefined) {
    const detail = `${find(miss)?.found ?? `${miss} was not looked at`}`;
    return { name, protects: true, available: false, detail };
  }
  if (find("qemu")!.facts[name] !== true) {
    const detail = `${find("qemu")!.found}`;
    return { name, protects: true, available: false, detail };
  }
  return { name, protects: true, available: true, detail: "not yet run on hardware" };
}

function judgeSgx(find: Find): BackendState {
  const device = find("sgx");
  const detail =
    device?.state === "yes"
      ? "the machine has SGX, but this version starts no SGX Keeps"
      : (device?.found ?? "sgx was not looked at");
  return { name: "sgx", protects: true, available: false, detail };
}

function judgeVm(find: Find): BackendState {
  const miss = (["qemu", "image"] as const).find((need) => find(need)?.state !== "yes");
  const fast = find("kvm")?.state === "yes";
  const detail =
    miss === undefined
      ? `${fast ? "with KVM" : "emulated, because KVM does not boot a kernel here"}; nothing protects it from this machine`
      : (find(miss)?.found ?? `${miss} was not looked at`);
  return { name: "vm", protects: false, available: miss === undefined, detail };
}
