/** What a TDX quote will say in MRTD and the RTMRs for a guest that is yet to start under QEMU and OVMF. */
import { parseFirmware } from "./firmware.ts";
import { measureMrTd, PAGE_ORDERS, type PageOrder } from "./mr-td.ts";
import { INITRD_PLACES, type InitrdPlace, measureRtmr1, measureRtmr2, RTMR_BYTES } from "./rtmr.ts";
import { parseTdvfMetadata } from "./tdvf-metadata.ts";

export interface TdxLaunch {
  /** The file given to QEMU's `-bios`. */
  readonly firmware: Uint8Array;
  /** bzImage with an EFI stub. With one, `initrd` and `append` are needed too. */
  readonly kernel?: Uint8Array | undefined;
  readonly initrd?: Uint8Array | undefined;
  /** Kernel command line, ASCII. */
  readonly append?: string | undefined;
  /** `page` when left out. */
  readonly pageOrder?: PageOrder | undefined;
  /** `front` when left out. */
  readonly initrdPlace?: InitrdPlace | undefined;
}

/** 48 octets each. */
export interface TdxMeasurement {
  readonly mrTd: Uint8Array;
  /** `null` without a kernel, as is `rtmr2`. */
  readonly rtmr1: Uint8Array | null;
  readonly rtmr2: Uint8Array | null;
  /** Nothing extends it before the runtime does. */
  readonly rtmr3: Uint8Array;
}

/**
 * What MRTD and the RTMRs rest on, for people who rely on them. RTMR0 is left out: it covers the memory map, the
 * variables and the ACPI tables that QEMU makes, which differ with its version and every device.
 */
export const TDX_ASSUMPTIONS: readonly string[] = [
  "not yet compared with TDX hardware",
  "rtmr0 is not computed: it covers memory size, firmware variables and QEMU's ACPI tables",
  "mr_td: KVM of Linux 6.16 or newer, which adds and measures page by page",
  "rtmr1: QEMU 10.0 or newer with OVMF of edk2-stable202502 or newer, which loads the kernel as it is in its file (etc/boot/)",
  "rtmr2: OVMF of edk2-stable202511 or newer puts 'initrd=initrd' in front of the command line; Linux's EFI stub measures that line, then the initrd",
  "rtmr3: nothing extends it",
];

/**
 * @throws DonjonError `measure/firmware` for firmware without well-formed TDX metadata, `measure/unsupported` for a
 *   kernel that is no EFI image; RangeError for wrong arguments
 */
export function measureTdx(launch: TdxLaunch): TdxMeasurement {
  const { pageOrder = "page", initrdPlace = "front", kernel } = launch;
  if (!PAGE_ORDERS.includes(pageOrder))
    throw new RangeError(`pageOrder must be one of ${PAGE_ORDERS.join(", ")}`);
  if (!INITRD_PLACES.includes(initrdPlace))
    throw new RangeError(`initrdPlace must be one of ${INITRD_PLACES.join(", ")}`);
  const inputs = checkBoot(launch);
  const sections = parseTdvfMetadata(parseFirmware(launch.firmware));
  return {
    mrTd: measureMrTd(sections, pageOrder),
    rtmr1: kernel === undefined ? null : measureRtmr1(kernel),
    rtmr2: inputs === null ? null : measureRtmr2(inputs.append, inputs.initrd, initrdPlace),
    rtmr3: new Uint8Array(RTMR_BYTES),
  };
}

/** What the firmware does without an initrd or a command line is not known well enough to be predicted. */
function checkBoot({ kernel, initrd, append }: TdxLaunch): {
  readonly append: string;
  readonly initrd: Uint8Array;
} | null {
  if (kernel === undefined && initrd === undefined && append === undefined) return null;
  if (kernel === undefined || initrd === undefined || initrd.length === 0 || !append)
    throw new RangeError("kernel, initrd and append are given together, and none is empty");
  if (!/^[\x20-\x7e]+$/.test(append)) throw new RangeError("append must be printable ASCII");
  return { append, initrd };
}
