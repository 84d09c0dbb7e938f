/**
 * What this machine offers for Keeps. A probe tests and does not guess: each has a time limit, none throws, and each says
 * what it tried and what to do about a miss (DESIGN, section 8).
 */
import type { BackendName } from "../backend/backend.ts";
import { probeKvm } from "../backend/qemu/probe-kvm.ts";
import { type ImageSource, searchImage } from "../image/find.ts";
import { collateralCacheDirectory } from "../image/places.ts";
import { type BackendState, judgeBackends } from "./backends.ts";
import { type Finding, runProbe } from "./finding.ts";
import { type KeepProbeOptions, listKeepProbes } from "./keep.ts";
import { createMachine, type Machine } from "./machine.ts";
import { listProcessorProbes } from "./processor.ts";
import { listToolProbes } from "./tools.ts";

/** Longer than the longest probe, which boots a kernel. */
const PROBE_MS = 10_000;

export interface Platform {
  readonly findings: readonly Finding[];
  /** Those that protect first, the best of each first. */
  readonly backends: readonly BackendState[];
}

export interface PlatformOptions extends Partial<KeepProbeOptions> {
  readonly machine?: Machine;
  /** For each probe. */
  readonly timeoutMs?: number;
}

/** Never rejects. */
export async function probePlatform(
  source: ImageSource,
  options: PlatformOptions = {},
): Promise<Platform> {
  const { machine = createMachine(), timeoutMs = PROBE_MS } = options;
  const keep: KeepProbeOptions = {
    searchImage: options.searchImage ?? (() => searchImage(source)),
    probeKvm: options.probeKvm ?? probeKvm,
    collateral: options.collateral ?? collateralCacheDirectory(),
  };
  const probes = [
    ...listProcessorProbes(machine),
    ...listKeepProbes(machine, keep),
    ...listToolProbes(machine),
  ];
  const findings = await Promise.all(probes.map((probe) => runProbe(probe, timeoutMs)));
  return { findings, backends: judgeBackends(findings) };
}

/** The best kind of Keep that protects and works here; `null` when none does: no protection is never chosen silently. */
export function chooseBackend({ backends }: Platform): BackendName | null {
  return backends.find(({ protects, available }) => protects && available)?.name ?? null;
}
