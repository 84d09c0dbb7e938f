/** Probes of the processor and its protections: what it is, what the kernel has turned on, and which devices there are. */
import type { Answer, Probe } from "./finding.ts";
import type { Machine } from "./machine.ts";

const CPUINFO = "/proc/cpuinfo";
/** Flags of the processor that have to do with protection, as Linux names them. */
const FLAGS = [
  "svm",
  "vmx",
  "sme",
  "sev",
  "sev_es",
  "sev_snp",
  "sgx",
  "sgx_lc",
  "tdx_host_platform",
  "tdx_guest",
  "hypervisor",
];

const SNP_DEVICE = "/dev/sev";
const SNP_PARAMETER = "/sys/module/kvm_amd/parameters/sev_snp";
const TDX_PARAMETER = "/sys/module/kvm_intel/parameters/tdx";
const SGX_ENCLAVE = "/dev/sgx_enclave";
const SGX_PROVISION = "/dev/sgx_provision";

/** Where the driver of AMD's security processor shows its versions, by PCI address. */
const PSP_DRIVER = "/sys/bus/pci/drivers/ccp";

export function listProcessorProbes(machine: Machine): readonly Probe[] {
  const cpu = readProcessor(machine);
  return [
    { name: "processor", tried: CPUINFO, run: () => describeProcessor(cpu) },
    {
      name: "microcode",
      tried: `${CPUINFO}, ${PSP_DRIVER}, /sys/class/dmi/id/bios_version`,
      run: () => describeMicrocode(machine, cpu),
    },
    { name: "snp", tried: `${SNP_DEVICE}, ${SNP_PARAMETER}`, run: () => probeSnp(machine, cpu) },
    { name: "tdx", tried: TDX_PARAMETER, run: () => probeTdx(machine, cpu) },
    { name: "sgx", tried: `${SGX_ENCLAVE}, ${SGX_PROVISION}`, run: () => probeSgx(machine, cpu) },
  ];
}

interface Processor {
  readonly field: (name: string) => string | null;
  readonly flags: ReadonlySet<string>;
  readonly amd: boolean;
  readonly intel: boolean;
}

function readProcessor(machine: Machine): Processor {
  const text = machine.readText(CPUINFO) ?? "";
  const fields = new Map<string, string>();
  for (const line of text.split("\n\n", 1)[0]!.split("\n")) {
    const colon = line.indexOf(":");
    if (colon !== -1) fields.set(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
  }
  const all = (fields.get("flags") ?? "").split(" ");
  const vendor = fields.get("vendor_id");
  return {
    field: (name) => fields.get(name) ?? null,
    flags: new Set(FLAGS.filter((flag) => all.includes(flag))),
    amd: vendor === "AuthenticAMD",
    intel: vendor === "GenuineIntel",
  };
}

function describeProcessor({ field, flags }: Processor): Answer {
  const model = field("model name");
  if (model === null) return { state: "unknown", found: "the kernel does not say" };
  const [family, number, stepping] = ["cpu family", "model", "stepping"].map(field);
  const virtual = flags.has("hypervisor") ? "; this is a virtual machine" : "";
  return {
    state: "yes",
    found: `${model}, family ${family}, model ${number}, stepping ${stepping}${virtual}`,
    facts: {
      vendor: field("vendor_id"),
      model,
      family: Number(family),
      modelNumber: Number(number),
      stepping: Number(stepping),
      flags: [...flags].join(" "),
    },
  };
}

/** What cannot be read is left out: most of it is for root, or not there in a virtual machine. */
function describeMicrocode(machine: Machine, { field }: Processor): Answer {
  const psp = machine.list(PSP_DRIVER).find((name) => /^[0-9a-f]{4}:/.test(name));
  const facts: Record<string, string | null> = {
    microcode: field("microcode"),
    bios: machine.readText("/sys/class/dmi/id/bios_version"),
    pspBootloader: psp ? machine.readText(`${PSP_DRIVER}/${psp}/bootloader_version`) : null,
    pspTee: psp ? machine.readText(`${PSP_DRIVER}/${psp}/tee_version`) : null,
  };
  const known = Object.entries(facts).filter(([, value]) => value !== null);
  return {
    state: known.length === 0 ? "unknown" : "yes",
    found: known.map(([name, value]) => `${name} ${value}`).join(", ") || "nothing to be read",
    facts,
  };
}

function probeSnp(machine: Machine, { amd, flags }: Processor): Answer {
  const access = machine.access(SNP_DEVICE);
  const parameter = machine.readText(SNP_PARAMETER);
  const facts = { device: access, kvmParameter: parameter, cpuFlag: flags.has("sev_snp") };
  if (isOn(parameter) && access === "usable")
    return { state: "yes", found: `${SNP_DEVICE}, and KVM has SNP turned on`, facts };
  if (!amd) return { state: "no", found: "no AMD processor", facts };
  if (flags.has("hypervisor") && !flags.has("sev_snp")) {
    const todo = "use a machine that is not virtual itself: SNP guests cannot be nested";
    return { state: "no", found: "this is a virtual machine without SEV-SNP", todo, facts };
  }
  if (isOn(parameter)) {
    const todo =
      access === "denied"
        ? `let this user read and write ${SNP_DEVICE}: a udev rule or a group`
        : `load the kernel's module ccp, which makes ${SNP_DEVICE}`;
    return { state: "no", found: `${SNP_DEVICE} is ${access}`, todo, facts };
  }
  return {
    state: "no",
    found: flags.has("sev_snp")
      ? "the processor has SEV-SNP, but KVM has it turned off"
      : "the processor does not show SEV-SNP",
    todo: "turn on SMEE, SNP and the RMP table in the firmware's setup, boot Linux 6.11 or newer, and load kvm_amd with sev=1 sev_snp=1",
    facts,
  };
}

function probeTdx(machine: Machine, { intel, flags }: Processor): Answer {
  const parameter = machine.readText(TDX_PARAMETER);
  const facts = { kvmParameter: parameter, cpuFlag: flags.has("tdx_host_platform") };
  if (isOn(parameter)) return { state: "yes", found: "KVM has TDX turned on", facts };
  if (!intel) return { state: "no", found: "no Intel processor", facts };
  return {
    state: "no",
    found: flags.has("tdx_host_platform")
      ? "the processor has TDX, but KVM has it turned off"
      : "the processor does not show TDX",
    todo: "turn on TDX in the firmware's setup, boot Linux 6.16 or newer with kvm_intel.tdx=1",
    facts,
  };
}

function probeSgx(machine: Machine, { intel, flags }: Processor): Answer {
  const enclave = machine.access(SGX_ENCLAVE);
  const provision = machine.access(SGX_PROVISION);
  const facts = { enclave, provision, cpuFlag: flags.has("sgx") };
  if (enclave === "usable" && provision === "usable")
    return { state: "yes", found: `${SGX_ENCLAVE} and ${SGX_PROVISION}`, facts };
  if (!intel) return { state: "no", found: "no Intel processor", facts };
  if (enclave === "missing") {
    const todo =
      "turn on SGX and flexible launch control in the firmware's setup, boot Linux 5.11 or newer";
    return { state: "no", found: `there is no ${SGX_ENCLAVE}`, todo, facts };
  }
  const device = enclave === "usable" ? SGX_PROVISION : SGX_ENCLAVE;
  const todo = "add this user to the groups sgx and sgx_prv";
  return { state: "no", found: `${device} may not be used by this user`, todo, facts };
}

/** Parameters of kernel modules say `Y` or `1`. */
function isOn(parameter: string | null): boolean {
  return parameter === "Y" || parameter === "1";
}
