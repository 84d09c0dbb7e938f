/** The backend `process`: the Keep is a process of this machine that no hardware protects. */
import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import { dirname } from "node:path";
import type { Writable } from "node:stream";
import type { ImageSource } from "../image/find.ts";
import type { Backend, BackendOptions, Lane, Launch, StartedKeep } from "./backend.ts";
import { limitBoot, watchKeepEnd } from "./keep-end.ts";
import { findLaunchFiles, type LaunchFiles } from "./launch-files.ts";
import { createLineReader } from "./lines.ts";
import {
  createLaunch,
  ENGINE_FLAGS,
  FALLBACK_LINE,
  FILTER_DESCRIPTOR,
  findBubblewrap,
  LANE_DESCRIPTOR,
  SANDBOXED_ENGINE_FLAGS,
} from "./sandbox.ts";
import { assembleKeepFilter } from "./seccomp.ts";
import { killGroup, spawnApart } from "./spawn.ts";

/** Words for `StartedKeep.sandbox`. */
const SANDBOX = {
  full: "bubblewrap, seccomp and the permission model",
  bare: "permission model only; install bubblewrap",
  refused: "permission model only; this machine does not let bubblewrap work (user namespaces)",
} as const;

/** Whether bubblewrap works here; `null` until a start has shown it. Known for the life of the process. */
let bubblewrapWorks: boolean | null = null;

/** Time that a Keep has to say something on the gate; a busy machine takes a tenth of it. */
const BOOT_MS = 60_000;

export interface ProcessBackendOptions {
  /** `false`: start without bubblewrap even where there is one; tests of the permission model alone. */
  readonly bubblewrap?: boolean;
  /** Milliseconds within which a Keep has to say something on the gate; `BOOT_MS` unless said. */
  readonly bootMs?: number;
}

/**
 * `start` returns at once; a Keep that cannot start shows in `ended` and as the end of its pipes.
 * Under bubblewrap where the machine has it and lets it work, otherwise with the engine's permission
 * model alone: `StartedKeep.sandbox` says which, and so does a console line.
 */
export function createProcessBackend(
  source: ImageSource,
  options: ProcessBackendOptions = {},
): Backend {
  return {
    name: "process",
    protects: false,
    start: (backendOptions) => startKeep(source, options, backendOptions),
  };
}

function startKeep(
  source: ImageSource,
  { bubblewrap = true, bootMs = BOOT_MS }: ProcessBackendOptions,
  { onConsole }: BackendOptions,
): StartedKeep {
  const program = bubblewrap && bubblewrapWorks !== false ? findBubblewrap() : null;
  let sandbox: string = program === null ? SANDBOX.bare : SANDBOX.full;
  if (program === null && bubblewrapWorks === false) sandbox = SANDBOX.refused;
  const files = findLaunchFiles(source);
  const [command, ...args] = createLaunch(files, program);
  const child = spawnApart(command!, args, {
    // The engine lets workers read below the working directory, until they give that up.
    cwd: dirname(files.runtime),
    stdio: ["pipe", "ignore", "pipe", "pipe", "pipe", "pipe", "ignore", "pipe"],
  });
  const filter = (child.stdio as readonly unknown[])[FILTER_DESCRIPTOR] as Writable;
  filter.on("error", () => {});
  if (program !== null) filter.write(assembleKeepFilter());
  // bubblewrap reads to the end, and `end` would give it that only when this process has come back to its event
  // loop, tens of milliseconds later. The write is done by now: a new socket has room for a filter many times over.
  filter.destroy();

  const read = createLineReader((line) => {
    if (line !== FALLBACK_LINE) {
      onConsole(line);
      return;
    }
    if (program !== null) {
      bubblewrapWorks = false;
      sandbox = SANDBOX.refused;
    }
    onConsole(`sandbox: ${sandbox}`);
  });
  child.stderr!.on("data", read);
  const ended = watchKeepEnd(child);
  const gate = pipe(child, 3);
  limitBoot(gate, bootMs, ended, () => {
    onConsole(`the Keep did not come up within ${bootMs / 1000} s`);
    killGroup(child);
  });
  let launch: Promise<Launch> | null = null;
  return {
    in: gate,
    out: pipe(child, 4),
    lane: openLane(child),
    ended,
    get sandbox() {
      return sandbox;
    },
    get image() {
      return describeImage(files, sandbox === SANDBOX.full);
    },
    measure: () => {
      launch ??= measure(files, sandbox === SANDBOX.full);
      return launch;
    },
    kill: () => killGroup(child),
  };
}

function describeImage({ image, engine }: LaunchFiles, sandboxed: boolean): string {
  return sandboxed || !image.startsWith("built")
    ? image
    : `${image} (${engine}) on the machine's C libraries`;
}

/** Loaded only here: a start that is never asked does not pay for it. */
async function measure(files: LaunchFiles, sandboxed: boolean): Promise<Launch> {
  const { measureProcessLaunch } = await import("../image/launch.ts");
  return sandboxed
    ? measureProcessLaunch(files.listFiles(), SANDBOXED_ENGINE_FLAGS)
    : measureProcessLaunch(files.listBareFiles(), ENGINE_FLAGS);
}

function openLane(child: ChildProcess): Lane {
  const stream = pipe(child, LANE_DESCRIPTOR);
  // Each end of a session closes its own direction.
  stream.allowHalfOpen = true;
  const launcher = child.stdin!.on("error", () => {});
  return { stream, release: () => void launcher.write("up\n") };
}

function pipe(child: ChildProcess, descriptor: number): Socket {
  const stream = child.stdio[descriptor as 3] as unknown as Socket;
  // A dead Keep resets its pipes; `ended` tells of it.
  stream.on("error", () => {});
  return stream;
}
