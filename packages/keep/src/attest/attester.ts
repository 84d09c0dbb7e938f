/** What signs statements about this Keep: whatever the machine really has, hardware first. */
import type { PlatformEvidence } from "@donjon/protocol/attestation/evidence";
import type { GateCaller } from "../gate/caller.ts";
import { openGramine } from "./gramine.ts";
import { createSimulatedAttester } from "./simulated.ts";
import { openTsm } from "./tsm.ts";

export interface Attester {
  /** Whether a processor signs. Then the Keep has no session without evidence. */
  readonly hardware: boolean;
  /**
   * `reportData`: 64 octets. Must not be called again before it has settled.
   * Rejects with `keep/state` when the platform gives no evidence.
   */
  attest(reportData: Uint8Array): Promise<PlatformEvidence>;
}

/** Linux, since 6.7. */
const TSM_DIRECTORY = "/sys/kernel/config/tsm/report";
const GRAMINE_DIRECTORY = "/dev/attestation";

export function openAttester(caller: GateCaller): Attester {
  return (
    openTsm(TSM_DIRECTORY) ?? openGramine(GRAMINE_DIRECTORY) ?? createSimulatedAttester(caller)
  );
}
