/** This machine's simulated security processor: one for all its Keeps, so that clients need to know one root. */
import { join } from "node:path";
import { makeDirectory } from "@donjon/host/files/make-directory";
import { stateDirectory } from "@donjon/host/image/places";
import type { SecurityProcessor } from "@donjon/host/warden/security-processor";

/** In the state directory of whoever runs the Keeps. */
export function simulatorDirectory(): string {
  return join(stateDirectory(), "simtee");
}

async function openProcessor() {
  const { openSecurityProcessor } = await import("@donjon/simtee/security-processor");
  const directory = simulatorDirectory();
  makeDirectory(directory);
  return openSecurityProcessor(directory);
}

/** Loaded when a Keep first asks for evidence. */
export async function openSimulator(): Promise<SecurityProcessor> {
  const processor = await openProcessor();
  return {
    async createEvidence(launch, reportData) {
      const { kind, evidence, auxiliary } = await processor.createEvidence(launch, reportData);
      return { tee: kind, evidence, auxiliary };
    },
  };
}

/** Answers what reads the public roots, as text for `parseTrust` of `@donjon/attest/simulated-trust`. */
export function createTrustReader(): () => Promise<string> {
  let opened: Promise<() => Promise<string>> | null = null;
  const open = async () => {
    const [processor, { encodeTrust }] = await Promise.all([
      openProcessor(),
      import("@donjon/attest/simulated-trust"),
    ]);
    return async () => encodeTrust(await processor.renewTrust());
  };
  return async () => {
    opened ??= open();
    try {
      return await (await opened)();
    } catch (error) {
      opened = null;
      throw error;
    }
  };
}
