/** A warden of the process backend with a simulated security processor: `warden.ts PROCESSOR-DIRECTORY KEEP-FOLDER`. */
import { join } from "node:path";
import { createProcessBackend } from "@donjon/host/backend/process";
import { runWarden } from "@donjon/host/warden/warden";
import { openSecurityProcessor } from "@donjon/simtee/security-processor";

const runtime = join(import.meta.dirname, "../../../keep/dist/keep.cjs");
const [, , directory, folder] = process.argv;

process.exit(
  await runWarden(folder!, {
    createBackend: async () => createProcessBackend({ engine: process.execPath, runtime }),
    openSecurityProcessor: async () => {
      const processor = await openSecurityProcessor(directory!);
      return {
        createEvidence: async (launch, reportData) => {
          const { kind, ...rest } = await processor.createEvidence(launch, reportData);
          return { tee: kind, ...rest };
        },
      };
    },
  }),
);
