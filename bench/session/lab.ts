/** What both benches of sessions share: process Keeps with a simulated security processor. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ClientIdentity, createClientIdentity } from "@donjon/client/attested/identity";
import type { Verifier } from "@donjon/client/attested/open";
import { createSimulatedVerifier } from "@donjon/client/attested/verifier";
import type { Backend, StartedKeep } from "@donjon/host/backend/backend";
import { createProcessBackend } from "@donjon/host/backend/process";
import { type Gate, openGate } from "@donjon/host/gate/gate";
import { openSecurityProcessor } from "@donjon/simtee/security-processor";

export interface Lab {
  readonly identity: ClientIdentity;
  readonly verify: Verifier;
  start(): { readonly keep: StartedKeep; readonly gate: Gate };
}

/** Removes what it made when `work` is over. */
export async function withLab(work: (lab: Lab) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "donjon-bench-"));
  const runtime = join(import.meta.dirname, "../../packages/keep/dist/keep.cjs");
  const backend: Backend = createProcessBackend({ engine: process.execPath, runtime });
  const processor = await openSecurityProcessor(folder);
  const onConsole = (line: string) => console.error(line);
  const probe = backend.start({ onConsole: () => {} });
  // Measured once, as an agent does that starts many Keeps of one image.
  const launch = await probe.measure();
  probe.kill();
  // Nobody reads them, so they would never see their end and hold this process.
  probe.in.destroy();
  probe.out.destroy();
  const mrEnclave = [Buffer.from(launch.measurement).toString("hex")];
  try {
    await work({
      identity: createClientIdentity(Date.now()),
      verify: createSimulatedVerifier(processor.trust, { policy: { sgx: { mrEnclave } } }),
      start() {
        const keep = backend.start({ onConsole });
        const gate = openGate(keep, {
          onConsole,
          evidence: async (reportData) => {
            const { kind, evidence, auxiliary } = await processor.createEvidence(
              launch,
              reportData,
            );
            return { tee: kind, evidence, auxiliary };
          },
        });
        return { keep, gate };
      },
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
