/** What a caller may have, as options. */
import { type CallerLimits, NO_CALLER_LIMITS } from "@donjon/host/agent/caller";
import {
  DURATION_WANTED,
  parseDuration,
  parseSize,
  SIZE_WANTED,
} from "@donjon/protocol/manifest/units";
import { type Command, InvalidArgumentError } from "commander";

/** In the place of a limit: there is none. The option parser makes an empty text of `null`. */
const NONE = "none";
type Limit = number | typeof NONE;

export interface LimitOptions {
  readonly maxKeeps?: Limit;
  readonly maxMemory?: Limit;
  readonly maxLifetime?: Limit;
  readonly maxBandwidth?: Limit;
  readonly maxSessions?: Limit;
}

export function addLimitOptions(command: Command): Command {
  return command
    .option("--max-keeps <n>", "Keeps at once", orNone(readCount))
    .option("--max-memory <size>", "memory of all Keeps together, such as 2GiB", orNone(readSize))
    .option("--max-lifetime <duration>", "life of each Keep, such as 12h", orNone(readDuration))
    .option(
      "--max-bandwidth <size>",
      "bytes per second of all Keeps together, such as 10MB",
      orNone(readSize),
    )
    .option("--max-sessions <n>", "sessions open at once", orNone(readCount));
}

/** What is not given is not limited. */
export function readLimits(options: LimitOptions): CallerLimits {
  return { ...NO_CALLER_LIMITS, ...readGivenLimits(options) };
}

/** Those that are given. */
export function readGivenLimits(options: LimitOptions): Partial<CallerLimits> {
  const given = {
    maxKeeps: options.maxKeeps,
    maxMemoryBytes: options.maxMemory,
    maxLifetimeMs: options.maxLifetime,
    maxBandwidthBytesPerS: options.maxBandwidth,
    maxSessions: options.maxSessions,
  };
  return Object.fromEntries(
    Object.entries(given)
      .filter(([, limit]) => limit !== undefined)
      .map(([name, limit]) => [name, limit === NONE ? null : limit]),
  );
}

function orNone(read: (text: string) => number): (text: string) => Limit {
  return (text) => (text === NONE ? NONE : read(text));
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
