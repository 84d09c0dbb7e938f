/** What tests of VM Keeps share: whether this machine can run them, and where a command's QEMU is. */
import { mkdtempSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { DonjonError } from "@donjon/core/errors";
import type { Backend } from "@donjon/host/backend/backend";
import { openVmBackend } from "@donjon/host/backend/vm";
import type { Command } from "../e2e/faults/command.ts";
import { listTree, type ProcessMark, until } from "../support/processes.ts";

const RUNTIME = join(import.meta.dirname, "../../packages/keep/dist/keep.cjs");
/** A machine without KVM that is busy takes so long to boot a Keep. */
export const BOOT_MS = 60_000;

/** The backend of this machine, or why tests of VM Keeps are skipped. */
export async function findVm(): Promise<{ backend: Backend; skip: false } | { skip: string }> {
  try {
    const backend = await openVmBackend({ engine: process.execPath, runtime: RUNTIME });
    return { backend, skip: false };
  } catch (error) {
    if (error instanceof DonjonError && error.code === "backend/unavailable")
      return { skip: error.message };
    throw error;
  }
}

/** Writes a module where the command finds it, until the test ends. */
export function writeModule(t: TestContext, bytes: Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), "donjon-test-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "app.wasm");
  writeFileSync(path, bytes);
  return path;
}

/** The command's QEMU, once it runs. */
export function findQemuOf({ child, stderr }: Command): Promise<ProcessMark> {
  return until(
    "QEMU runs",
    () => {
      if (child.exitCode !== null) throw new Error(`ended before QEMU ran: ${stderr()}`);
      return listTree(child.pid!).find(isQemu);
    },
    BOOT_MS,
  );
}

/** The machines that this very process has started. */
export function listOwnQemus(): ProcessMark[] {
  return listTree(process.pid).filter(isQemu);
}

function isQemu({ pid }: ProcessMark): boolean {
  try {
    return /\/qemu-(system-x86_64|kvm)$/.test(readlinkSync(`/proc/${pid}/exe`));
  } catch {
    return false;
  }
}
