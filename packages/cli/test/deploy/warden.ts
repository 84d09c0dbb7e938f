/** A warden of the process backend with a simulated security processor: `warden.ts PROCESSOR-DIRECTORY RUNTIME KEEP-FOLDER`. */
import { createProcessBackend } from "@donjon/host/backend/process";
import { runWarden } from "@donjon/host/warden/warden";
import { openSecurityProcessor } from "@donjon/simtee/security-processor";

const [, , directory, runtime, folder] = process.argv;
/** A host that lies: whatever kind is asked for, it is a process, and the evidence is made up for the kind. */
let claimed = "process";

const SNP_LAUNCH = { tee: "snp", measurement: new Uint8Array(48) } as const;

process.exit(
  await runWarden(folder!, {
    createBackend: async (name) => {
      claimed = name;
      return createProcessBackend({ engine: process.execPath, runtime: runtime! });
    },
    openSecurityProcessor: async () => {
      const processor = await openSecurityProcessor(directory!);
      return {
        createEvidence: async (launch, reportData) => {
          const said = claimed === "snp" ? SNP_LAUNCH : launch;
          const { kind, ...rest } = await processor.createEvidence(said, reportData);
          return { tee: kind, ...rest };
        },
      };
    },
  }),
);
