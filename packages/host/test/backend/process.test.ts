import { existsSync } from "node:fs";
import { join } from "node:path";
import { testGateContract } from "@donjon/testkit/contract/gate-contract";
import { testSessionContract } from "@donjon/testkit/contract/session-contract";
import { createProcessBackend } from "../../src/backend/process.ts";

const runtime = join(import.meta.dirname, "../../../keep/dist/keep.cjs");
if (!existsSync(runtime)) throw new Error(`'${runtime}' is not there; run 'npm run build'`);

const backend = createProcessBackend({ engine: process.execPath, runtime });
testGateContract(backend, { connections: 200 });
testSessionContract(backend, { streamBytes: 64 << 20 });
