import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { testGateContract } from "@donjon/testkit/contract/gate-contract";
import { startKeep } from "@donjon/testkit/contract/keep-fixture";
import { testSessionContract } from "@donjon/testkit/contract/session-contract";
import { createProcessBackend } from "../../src/backend/process.ts";

const runtime = join(import.meta.dirname, "../../../keep/dist/keep.cjs");
if (!existsSync(runtime)) throw new Error(`'${runtime}' is not there; run 'npm run build'`);

const backend = createProcessBackend({ engine: process.execPath, runtime });
/** A Keep ends itself by a signal. */
const ending = { kind: "killed", signal: "SIGKILL" } as const;
testGateContract(backend, { connections: 200, ending, concurrency: 1 });
testSessionContract(backend, { streamBytes: 64 << 20, ending, concurrency: 1 });

for (const bubblewrap of [true, false]) {
  test(`a runtime reached by a link starts ${bubblewrap ? "under bubblewrap" : "with the permission model alone"}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "donjon-link-"));
    const link = join(folder, "keep.cjs");
    symlinkSync(runtime, link);
    try {
      const linked = createProcessBackend(
        { engine: process.execPath, runtime: link },
        { bubblewrap },
      );
      await using under = startKeep(linked);
      assert.equal((await under.gate.health()).state, "new");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}
