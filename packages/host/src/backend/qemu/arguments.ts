/** What the command lines of all QEMU backends have in common: a machine with two ports, a console to write to, and nothing else. */
import { GUEST_PORTS } from "../../image/guest-init.ts";

/** Descriptors that QEMU inherits: the gate's two pipes, numbered as inside the Keep, and the console. */
export const QEMU_DESCRIPTORS = { in: 3, out: 4, console: 5 } as const;

export interface QemuMachine {
  /** Value of `-machine`. */
  readonly machine: string;
  /** Value of `-accel`. */
  readonly accelerator: string;
  /** Value of `-cpu`. */
  readonly cpu: string;
  readonly vcpus: number;
  readonly memoryMib: number;
  /** Absolute paths. */
  readonly kernel: string;
  readonly initrd: string | null;
  readonly commandLine: string;
  /** What a kind of protection adds: `-object`, `-bios` and the like, word by word. */
  readonly extra?: readonly string[];
}

/** QEMU's own seccomp filter: no process, no new privileges, no old system calls, no scheduling. */
const SANDBOX = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny";

/**
 * The arguments after the program's name. Nothing of the user's or the machine's QEMU configuration counts; there is no
 * network card, no disk, no display, no monitor; a restart of the guest is QEMU's end.
 */
export function encodeQemuArguments(machine: QemuMachine): string[] {
  return [
    ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
    ...["-sandbox", SANDBOX],
    ...["-machine", machine.machine, "-accel", machine.accelerator, "-cpu", machine.cpu],
    ...["-smp", String(machine.vcpus), "-m", `${machine.memoryMib}M`],
    ...(machine.extra ?? []),
    ...["-kernel", machine.kernel, "-append", machine.commandLine],
    ...(machine.initrd === null ? [] : ["-initrd", machine.initrd]),
    ...["-device", "virtio-serial-pci,max_ports=3"],
    ...encodePort("in"),
    ...encodePort("out"),
    ...["-chardev", `socket,id=console,fd=${QEMU_DESCRIPTORS.console}`],
    ...["-serial", "chardev:console"],
  ];
}

function encodePort(name: keyof typeof GUEST_PORTS): string[] {
  return [
    ...["-chardev", `socket,id=${name},fd=${QEMU_DESCRIPTORS[name]}`],
    ...["-device", `virtserialport,nr=${GUEST_PORTS[name]},chardev=${name},name=donjon.${name}`],
  ];
}
