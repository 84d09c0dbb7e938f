/**
 * Azure's HCL report: the paravisor's SNP report, and the runtime data that its report data speaks for.
 * Source: Azure confidential VMs, "Hardware report" (`vTPM NV index 0x01400001`).
 */
import { equalBytes } from "@donjon/core/bytes";
import { Cursor } from "@donjon/core/cursor";
import { encodeHex } from "@donjon/core/hex";
import { AttestError } from "../attest-error.ts";
import { envelopeError } from "../envelope/envelope-error.ts";
import { REPORT_BYTES } from "../snp/report.ts";
import type { OpenedEvidence } from "./opened.ts";

export const HCL_SIGNATURE = "HCLA";
const HEADER_BYTES = 0x20;
const SNP_TYPE = 2;
const SHA_256 = 1;

/** @throws DonjonError `bytes/truncated`, `evidence/malformed` */
export function openHclReport(bytes: Uint8Array): OpenedEvidence {
  const cursor = new Cursor(bytes);
  cursor.bytes(HEADER_BYTES, "the HCL header");
  const evidence = cursor.bytes(REPORT_BYTES, "the SNP report");
  cursor.u32("the size of the runtime data");
  cursor.u32("the version of the runtime data");
  const type = cursor.u32("the type of the report");
  const hash = cursor.u32("the hash of the runtime data");
  if (type !== SNP_TYPE || hash !== SHA_256) {
    throw envelopeError("the HCL report", `type ${type}, hash ${hash}`, "2 (SNP), 1 (SHA-256)");
  }
  const data = cursor.bytes(cursor.u32("the length of the claims"), "the claims");
  return {
    set: { kind: "snp", evidence },
    carrier: "azure-hcl",
    verifyBinding: (reportData) => requireRuntimeData(data, reportData),
  };
}

async function requireRuntimeData(data: Uint8Array, reportData: Uint8Array): Promise<void> {
  const wanted = new Uint8Array(64);
  wanted.set(new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(data))));
  if (equalBytes(wanted, reportData)) return;
  throw new AttestError(
    "evidence/refused",
    "envelope/binding",
    `Cannot accept the runtime data: found report data ${encodeHex(reportData)}, wanted ${encodeHex(wanted)}`,
  );
}
