/** What tests of VM Keeps share: the backend of this machine, or why there is none. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { DonjonError } from "@donjon/core/errors";
import type { Backend } from "../../src/backend/backend.ts";
import { openVmBackend } from "../../src/backend/vm.ts";

const runtime = join(import.meta.dirname, "../../../keep/dist/keep.cjs");
if (!existsSync(runtime)) throw new Error(`'${runtime}' is not there; run 'npm run build'`);

/** How the host sees a VM Keep that ends itself: the machine has ended, and QEMU with it. */
export const VM_ENDING = { kind: "exited", code: 0 } as const;

/** Calls `define` with the backend, or defines one test of this name that is skipped and says why. */
export async function withVmBackend(
  name: string,
  define: (backend: Backend) => void,
): Promise<void> {
  try {
    define(await openVmBackend({ engine: process.execPath, runtime }));
  } catch (error) {
    if (!(error instanceof DonjonError) || error.code !== "backend/unavailable") throw error;
    test(name, { skip: error.message }, () => {});
  }
}
