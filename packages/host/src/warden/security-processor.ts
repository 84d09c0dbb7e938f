import type { PlatformEvidence } from "@donjon/protocol/attestation/evidence";
import type { Launch, StartedKeep } from "../backend/backend.ts";
import type { EvidenceSource } from "../gate/evidence.ts";

/** A simulated security processor: it signs, with a root that nobody trusts by default, what the host says was launched. */
export interface SecurityProcessor {
  /** @param reportData 64 octets, which the evidence carries */
  createEvidence(launch: Launch, reportData: Uint8Array): Promise<PlatformEvidence>;
}

/** `open` is called when the Keep first asks: a Keep that never asks costs nothing. */
export function createEvidenceSource(
  keep: StartedKeep,
  open: () => Promise<SecurityProcessor>,
): EvidenceSource {
  let opened: Promise<SecurityProcessor> | null = null;
  return async (reportData) => {
    opened ??= open();
    const [processor, launch] = await Promise.all([opened, keep.measure()]);
    return processor.createEvidence(launch, reportData);
  };
}
