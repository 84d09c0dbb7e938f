/** The QEMU of this machine. */
import { existsSync } from "node:fs";

const QEMU_PATHS = [
  "/usr/bin/qemu-system-x86_64",
  "/usr/local/bin/qemu-system-x86_64",
  "/usr/libexec/qemu-kvm",
];

export function findQemu(exists: (path: string) => boolean = existsSync): string | null {
  return QEMU_PATHS.find((path) => exists(path)) ?? null;
}
