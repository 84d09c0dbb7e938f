/** Attested sessions with process Keeps: what every session does, and what only they do. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after } from "node:test";
import { testAttestedContract } from "@donjon/testkit/contract/attested-contract";
import { createSimulatedCarrier } from "@donjon/testkit/contract/carrier";
import { testDetachedContract } from "@donjon/testkit/contract/detached-contract";
import { testSessionContract } from "@donjon/testkit/contract/session-contract";
import { createProcessBackend } from "../../src/backend/process.ts";

const runtime = join(import.meta.dirname, "../../../keep/dist/keep.cjs");
if (!existsSync(runtime)) throw new Error(`'${runtime}' is not there; run 'npm run build'`);

const backend = createProcessBackend({ engine: process.execPath, runtime });
const carrier = await createSimulatedCarrier();
after(() => carrier[Symbol.dispose]());

const ending = { kind: "killed", signal: "SIGKILL" } as const;
testSessionContract(backend, { streamBytes: 64 << 20, ending, concurrency: 1, carrier });
testAttestedContract(backend, carrier);
testDetachedContract(backend, carrier);
