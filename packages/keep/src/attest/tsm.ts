/**
 * SNP reports and TDX quotes by Linux's configfs-tsm (Documentation/ABI/testing/configfs-tsm-report). One directory per
 * request, so that requests cannot mix; `generation` shows when they did all the same. Not yet run on hardware.
 */
import type { PlatformEvidence } from "@donjon/protocol/attestation/evidence";
import type { Attester } from "./attester.ts";
import { noEvidence, readBlob, readLine, writeBlob } from "./files.ts";

const fs = process.getBuiltinModule("node:fs");

const TEES: Readonly<Record<string, "snp" | "tdx">> = { sev_guest: "snp", tdx_guest: "tdx" };
/** Somebody else has the device, or a signal came: asked again. */
const PASSING: ReadonlySet<string> = new Set(["EBUSY", "EAGAIN", "EINTR", "EEXIST", "ETIMEDOUT"]);
const ATTEMPTS = 10;
const RETRY_MS = 20;

/** `null` where there is no configfs-tsm, or no device behind it. */
export function openTsm(directory: string): Attester | null {
  if (!isThere(directory)) return null;
  let number = 0;
  return {
    hardware: true,
    async attest(reportData) {
      for (let attempt = 1; ; attempt++) {
        number += 1;
        try {
          return await request(`${directory}/donjon-${process.pid}-${number}`, reportData);
        } catch (cause) {
          const code = (cause as NodeJS.ErrnoException).code ?? "";
          if (!PASSING.has(code) || attempt === ATTEMPTS) throw noEvidence(explain(cause), cause);
          await new Promise((resolve) => setTimeout(resolve, RETRY_MS * attempt));
        }
      }
    },
  };
}

/** The kernel makes a directory only where a device stands behind it (ENXIO). */
function isThere(directory: string): boolean {
  const probe = `${directory}/donjon-${process.pid}-probe`;
  try {
    fs.mkdirSync(probe);
    fs.rmdirSync(probe);
    return true;
  } catch (error) {
    // Any other failure than "nothing there" must not turn a protected Keep into an unprotected one.
    const { code } = error as NodeJS.ErrnoException;
    return code !== "ENOENT" && code !== "ENXIO" && code !== "ERR_ACCESS_DENIED";
  }
}

async function request(entry: string, reportData: Uint8Array): Promise<PlatformEvidence> {
  await fs.promises.mkdir(entry);
  try {
    const before = readGeneration(entry);
    // What is wrong with it shows in `generation` only: the kernel takes it when the file is closed.
    await writeBlob(`${entry}/inblob`, reportData);
    const evidence = await readBlob(`${entry}/outblob`);
    const auxiliary = await readOptional(`${entry}/auxblob`);
    const tee = TEES[readLine(`${entry}/provider`) ?? ""];
    if (tee === undefined) throw noEvidence(`${entry}/provider names no known device`);
    if (readGeneration(entry) !== before + 1) throw passing("somebody else wrote to the request");
    return { tee, evidence, auxiliary };
  } finally {
    await fs.promises.rmdir(entry).catch(() => {});
  }
}

function readGeneration(entry: string): number {
  const text = readLine(`${entry}/generation`) ?? "";
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw noEvidence(`${entry}/generation is no number`);
}

/** Only AMD's devices have certificates to give. */
async function readOptional(path: string): Promise<Uint8Array> {
  try {
    return await readBlob(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return new Uint8Array(0);
  }
}

function passing(message: string): Error {
  return Object.assign(new Error(message), { code: "EAGAIN" });
}

function explain(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
