/**
 * An agent with process Keeps, in an engine that was started with `--expose-gc`. On SIGUSR2 it prints its memory after a whole
 * collection, as a line of JSON. `argv`: state directory, security processor's directory.
 */
import { join } from "node:path";
import { encodeTrust } from "@donjon/attest/simulated-trust";
import { openAgent } from "@donjon/host/agent/agent";
import { openSecurityProcessor } from "@donjon/simtee/security-processor";

const ROOT = join(import.meta.dirname, "../..");
/** A collection leaves what only the finalizers that follow it let go of. */
const COLLECTIONS = 4;
const [state = "", simtee = ""] = process.argv.slice(2);
const processor = await openSecurityProcessor(simtee);
const agent = await openAgent({
  state,
  listen: [`unix:${join(state, "agent.sock")}`],
  wardenCommand: [
    process.execPath,
    "--conditions=source",
    "--disable-warning=ExperimentalWarning",
    join(ROOT, "packages/cli/test/deploy/warden.ts"),
    simtee,
    join(ROOT, "packages/keep/dist/keep.cjs"),
  ],
  platform: async () => ({
    backends: [{ name: "process", protects: false, available: true, detail: "a process" }],
  }),
  readTrust: async () => encodeTrust(processor.trust),
  log: () => {},
});
process.on("SIGUSR2", async () => {
  for (let i = 0; i < COLLECTIONS; i++) {
    globalThis.gc!();
    // Finalizers have a turn of their own.
    await new Promise(setImmediate);
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  process.stdout.write(`${JSON.stringify({ heapUsed, external, rss })}\n`);
});
process.on("SIGTERM", async () => {
  await agent.close({ drainMs: 0, endKeeps: true });
  process.exit(0);
});
process.stdout.write("ready\n");
