import type { PlatformEvidence } from "@donjon/protocol/attestation/evidence";
import type { Launch, StartedKeep } from "../backend/backend.ts";
import type { EvidenceSource } from "../gate/evidence.ts";

/** A simulated security processor: it signs, with a root that nobody trusts by default, what the host says was launched. */
export interface SecurityProcessor {
  /** @param reportData 64 octets, which the evidence carries */
  createEvidence(launch: Launch, reportData: Uint8Array): Promise<PlatformEvidence>;
}

export interface PreparedSource {
  readonly source: EvidenceSource;
  /**
   * Does now what the first evidence would otherwise wait for, and makes a piece that nobody gets, because keys are read at
   * first use. Never rejects: the evidence will say what is wrong.
   */
  prepare(): Promise<void>;
}

const REPORT_DATA_BYTES = 64;

export function createEvidenceSource(
  keep: StartedKeep,
  open: () => Promise<SecurityProcessor>,
): PreparedSource {
  let opened: Promise<SecurityProcessor> | null = null;
  const get = async () => {
    opened ??= open();
    return Promise.all([opened, keep.measure()]);
  };
  const source: EvidenceSource = async (reportData) => {
    const [processor, launch] = await get();
    return processor.createEvidence(launch, reportData);
  };
  return {
    source,
    prepare: () =>
      source(new Uint8Array(REPORT_DATA_BYTES)).then(
        () => {},
        () => {},
      ),
  };
}
