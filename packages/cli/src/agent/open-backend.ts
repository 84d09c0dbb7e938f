import { DonjonError } from "@donjon/core/errors";
import type { Backend, BackendName } from "@donjon/host/backend/backend";
import { createProcessBackend } from "@donjon/host/backend/process";
import type { ImageSource } from "@donjon/host/image/find";

/** The backend of that name, with what this machine has for it. Rejects with `backend/unavailable`. */
export async function openBackend(name: BackendName, source: ImageSource): Promise<Backend> {
  switch (name) {
    case "process":
      return createProcessBackend(source);
    case "vm":
      return (await import("@donjon/host/backend/vm")).openVmBackend(source);
    case "snp":
      return (await import("@donjon/host/backend/snp")).openSnpBackend(source);
    case "tdx":
      return (await import("@donjon/host/backend/tdx")).openTdxBackend(source);
    case "sgx":
      throw new DonjonError("backend/unavailable", "this version starts no SGX Keeps");
  }
}
