/**
 * The state in which a VMM starts a virtual processor: the page VMSA, as the launch digest covers it
 * (AMD APM volume 2, table B-4; reset values of QEMU, KVM and the clouds' VMMs).
 */
import { PAGE_BYTES } from "./firmware.ts";

/** VMMs whose launches can be measured: they start processors with different values in a few registers. */
export const VMMS = ["qemu", "ec2", "gce"] as const;
export type Vmm = (typeof VMMS)[number];

/** Where the boot processor starts. */
const RESET_EIP = 0xffff_fff0;

export interface VmsaOptions {
  readonly vmm: Vmm;
  /** Where the processor starts; the boot processor when left out. */
  readonly eip?: number;
  /** RDX at reset: the CPUID signature under QEMU, a constant under the others. */
  readonly rdx: number;
  /** SEV_FEATURES. */
  readonly guestFeatures: bigint;
}

interface ResetState {
  readonly csAttributes: number;
  readonly ssAttributes: number;
  readonly trAttributes: number;
  readonly pat: bigint;
  readonly mxcsr: number;
  readonly fcw: number;
}

/** PAT at reset (APM volume 2, section 7.8). */
const RESET_PAT = 0x0007_0406_0007_0406n;

/** @returns one page, 4,096 octets */
export function encodeVmsa(options: VmsaOptions): Uint8Array {
  const eip = options.eip ?? RESET_EIP;
  const state = chooseResetState(options.vmm, eip === RESET_EIP);
  const page = new Uint8Array(PAGE_BYTES);
  const view = new DataView(page.buffer);
  const segment = (at: number, attributes: number, selector = 0, base = 0) => {
    view.setUint16(at, selector, true);
    view.setUint16(at + 2, attributes, true);
    view.setUint32(at + 4, 0xffff, true);
    view.setBigUint64(at + 8, BigInt(base), true);
  };
  const u64 = (at: number, value: bigint) => view.setBigUint64(at, value, true);

  segment(0x00, 0x93); // ES
  segment(0x10, state.csAttributes, 0xf000, (eip & 0xffff_0000) >>> 0);
  segment(0x20, state.ssAttributes);
  for (const at of [0x30, 0x40, 0x50]) segment(at, 0x93); // DS, FS, GS
  segment(0x60, 0); // GDTR
  segment(0x70, 0x82); // LDTR
  segment(0x80, 0); // IDTR
  segment(0x90, state.trAttributes);
  u64(0xd0, 0x1000n); // EFER: SVME, which KVM sets
  u64(0x148, 0x40n); // CR4: MCE, which KVM sets
  u64(0x158, 0x10n); // CR0
  u64(0x160, 0x400n); // DR7
  u64(0x168, 0xffff_0ff0n); // DR6
  u64(0x170, 2n); // RFLAGS
  u64(0x178, BigInt(eip & 0xffff)); // RIP
  u64(0x268, state.pat);
  u64(0x310, BigInt(options.rdx));
  u64(0x3b0, options.guestFeatures);
  u64(0x3e8, 1n); // XCR0
  view.setUint32(0x408, state.mxcsr, true);
  view.setUint16(0x410, state.fcw, true);
  return page;
}

function chooseResetState(vmm: Vmm, boot: boolean): ResetState {
  const common = { csAttributes: 0x9b, ssAttributes: 0x93, trAttributes: 0x8b, pat: RESET_PAT };
  switch (vmm) {
    case "qemu":
      return { ...common, mxcsr: 0x1f80, fcw: 0x37f };
    case "ec2": {
      const attributes = {
        csAttributes: boot ? 0x9a : 0x9b,
        ssAttributes: 0x92,
        trAttributes: 0x83,
      };
      return { ...common, ...attributes, mxcsr: 0, fcw: 0 };
    }
    case "gce":
      return { ...common, pat: 0x0007_0106n, mxcsr: 0, fcw: 0 };
  }
}
