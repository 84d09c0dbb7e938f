/** What a caller may have, as options. */
import { type CallerLimits, NO_CALLER_LIMITS } from "@donjon/host/agent/caller";
import {
  DURATION_WANTED,
  parseDuration,
  parseSize,
  SIZE_WANTED,
} from "@donjon/protocol/manifest/units";
import { type Command, InvalidArgumentError } from "commander";

export interface LimitOptions {
  readonly maxKeeps?: number;
  readonly maxMemory?: number;
  readonly maxLifetime?: number;
  readonly maxBandwidth?: number;
  readonly maxSessions?: number;
}

export function addLimitOptions(command: Command): Command {
  return command
    .option("--max-keeps <n>", "Keeps at once", readCount)
    .option("--max-memory <size>", "memory of all Keeps together, such as 2GiB", readSize)
    .option("--max-lifetime <duration>", "life of each Keep, such as 12h", readDuration)
    .option(
      "--max-bandwidth <size>",
      "bytes per second of all Keeps together, such as 10MB",
      readSize,
    )
    .option("--max-sessions <n>", "sessions open at once", readCount);
}

/** What is not given is not limited. */
export function readLimits(options: LimitOptions): CallerLimits {
  return {
    maxKeeps: options.maxKeeps ?? NO_CALLER_LIMITS.maxKeeps,
    maxMemoryBytes: options.maxMemory ?? NO_CALLER_LIMITS.maxMemoryBytes,
    maxLifetimeMs: options.maxLifetime ?? NO_CALLER_LIMITS.maxLifetimeMs,
    maxBandwidthBytesPerS: options.maxBandwidth ?? NO_CALLER_LIMITS.maxBandwidthBytesPerS,
    maxSessions: options.maxSessions ?? NO_CALLER_LIMITS.maxSessions,
  };
}

export function readCount(text: string): number {
  const count = Number(text);
  if (/^\d{1,7}$/.test(text)) return count;
  throw new InvalidArgumentError("a whole number is wanted.");
}

function readSize(text: string): number {
  const size = parseSize(text);
  if (size !== null && size > 0) return size;
  throw new InvalidArgumentError(`${SIZE_WANTED} is wanted.`);
}

export function readDuration(text: string): number {
  const duration = parseDuration(text);
  if (duration !== null) return duration;
  throw new InvalidArgumentError(`${DURATION_WANTED} is wanted.`);
}
