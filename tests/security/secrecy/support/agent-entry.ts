/**
 * An agent as the command starts one. `argv`: state directory, security processor's directory, where to put
 * recordings, and a text for the wardens' arguments. What `DONJON_LEAK` says it leaks into a temporary file.
 */
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeTrust } from "@donjon/attest/simulated-trust";
import { openAgent } from "@donjon/host/agent/agent";
import { createLog } from "@donjon/host/agent/log";
import { openSecurityProcessor } from "@donjon/simtee/security-processor";

const [state = "", simtee = "", recordings = "", leak = ""] = process.argv.slice(2);
const processor = await openSecurityProcessor(simtee);
const agent = await openAgent({
  state,
  listen: [`unix:${join(state, "agent.sock")}`],
  wardenCommand: [
    process.execPath,
    "--no-wasm-deopt",
    "--conditions=source",
    "--disable-warning=ExperimentalWarning",
    join(import.meta.dirname, "warden-entry.ts"),
    simtee,
    recordings,
    leak,
  ],
  platform: async () => ({
    backends: [{ name: "process", protects: false, available: true, detail: "a process" }],
  }),
  readTrust: async () => encodeTrust(processor.trust),
  log: createLog((line) => process.stderr.write(line), false),
});
writeFileSync(join(tmpdir(), "leaked"), process.env["DONJON_LEAK"] ?? "");
process.on("SIGTERM", async () => {
  await agent.close({ drainMs: 0, endKeeps: true });
  process.exit(0);
});
process.stdout.write("ready\n");
