/** A warden of the process backend, as the command starts one; its security processor signs nothing. */
import { join } from "node:path";
import { createProcessBackend } from "../../src/backend/process.ts";
import { runWarden } from "../../src/warden/warden.ts";

/** A test may have a bad one in its place. */
const runtime =
  process.env["DONJON_TEST_RUNTIME"] ?? join(import.meta.dirname, "../../../keep/dist/keep.cjs");

process.exit(
  await runWarden(process.argv[2]!, {
    createBackend: async () => createProcessBackend({ engine: process.execPath, runtime }),
    openSecurityProcessor: () => Promise.reject(new Error("there is none")),
  }),
);
