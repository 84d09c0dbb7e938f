/** Evidence of a Keep that nothing protects: the host's simulated security processor signs, which proves nothing. */
import { DonjonError } from "@donjon/core/errors";
import type { EvidenceTee, PlatformEvidence } from "@donjon/protocol/attestation/evidence";
import { EVIDENCE_TARGET } from "@donjon/protocol/gate/gate";
import { EVIDENCE_MS, MAX_PLATFORM_EVIDENCE_BYTES } from "@donjon/protocol/limits";
import type { GateCaller } from "../gate/caller.ts";
import type { Attester } from "./attester.ts";
import { noEvidence } from "./files.ts";

const LIMITS = { maxBytes: MAX_PLATFORM_EVIDENCE_BYTES, timeoutMs: EVIDENCE_MS };
/** The host's codes (protocol README, gate). */
const TEES: readonly (EvidenceTee | undefined)[] = [undefined, "snp", "tdx", "sgx"];
const HEADER_BYTES = 5;

export function createSimulatedAttester(caller: GateCaller): Attester {
  return {
    hardware: false,
    async attest(reportData) {
      try {
        return parseAnswer(await caller.ask(EVIDENCE_TARGET, reportData, LIMITS));
      } catch (cause) {
        throw noEvidence((cause as Error).message, cause);
      }
    },
  };
}

function parseAnswer(bytes: Uint8Array): PlatformEvidence {
  const tee = TEES[bytes[0] ?? 0];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = bytes.length < HEADER_BYTES ? 0 : HEADER_BYTES + view.getUint32(1);
  if (tee === undefined || end <= HEADER_BYTES || end > bytes.length) {
    const found = `the host answered with ${bytes.length} octets that are no evidence`;
    throw new DonjonError("gate/protocol", found);
  }
  return { tee, evidence: bytes.subarray(HEADER_BYTES, end), auxiliary: bytes.subarray(end) };
}
