/**
 * One way to get an answer: from the store while it is fresh, else from the network with time and size limits and
 * back-off, else from the store although it is old. Whether an old one still holds is for verification to say.
 */
import { DonjonError } from "@donjon/core/errors";
import { request, type Transport } from "./request.ts";
import { type Answer, type CollateralStore, createMemoryStore } from "./store.ts";

export interface SourceOptions {
  /** Default: none, so that only the store answers. */
  readonly fetch?: typeof fetch;
  /** Default: memory. */
  readonly store?: CollateralStore;
  /** Milliseconds since 1970. Default: the clock. */
  readonly now?: () => number;
  /** Resolves after some milliseconds. Default: a timer. */
  readonly sleep?: (ms: number) => Promise<void>;
  /** Milliseconds for one attempt, from request to last octet. */
  readonly timeoutMs?: number;
  /** Milliseconds for all attempts together, waiting included. */
  readonly totalMs?: number;
  /** Attempts for one answer. */
  readonly attempts?: number;
  /** Milliseconds that an answer is used without asking again; certificates of chips are kept thirty times longer. */
  readonly maxAgeMs?: number;
}

export interface Wanted {
  readonly url: string;
  readonly maxBytes: number;
  /** Response headers to keep, lower case. */
  readonly headers?: readonly string[];
  /** Times `maxAgeMs`. */
  readonly ageFactor?: number;
  /** Refuses by throwing a DonjonError: what is not what was asked for is neither used nor kept. */
  readonly check: (answer: Answer) => void;
}

export interface CollateralSource {
  /** @throws DonjonError `collateral/unavailable`, `collateral/answer`, `collateral/limit` */
  get(wanted: Wanted): Promise<Answer>;
}

const DEFAULTS = {
  timeoutMs: 10_000,
  totalMs: 60_000,
  attempts: 4,
  maxAgeMs: 24 * 3600 * 1000,
} as const;

export function createSource(options: SourceOptions = {}): CollateralSource {
  const { store = createMemoryStore(), now = Date.now, fetch } = options;
  const { timeoutMs, totalMs, attempts, maxAgeMs } = { ...DEFAULTS, ...options };
  const sleep = options.sleep ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
  const running = new Map<string, Promise<Answer>>();

  const load = async (wanted: Wanted): Promise<Answer> => {
    const stored = await readStore(store, wanted);
    const age = stored === undefined ? Number.POSITIVE_INFINITY : now() - stored.atMs;
    // A clock that went back makes an answer of the future; it is asked for again.
    if (stored !== undefined && age >= 0 && age <= maxAgeMs * (wanted.ageFactor ?? 1))
      return stored;
    if (fetch === undefined) return stored ?? offline(wanted.url);
    const transport: Transport = { fetch, now, sleep, timeoutMs, totalMs, attempts };
    let answer: Answer;
    try {
      answer = await request(wanted, transport);
    } catch (error) {
      if (stored === undefined || !(error instanceof DonjonError)) throw error;
      return stored;
    }
    // A store that is full or broken costs a request next time, no more.
    await store.put(answer).catch(() => undefined);
    return answer;
  };

  return {
    // Ten reports of one chip at once are one request.
    get: (wanted) => {
      const before = running.get(wanted.url);
      if (before !== undefined) return before;
      const work = load(wanted).finally(() => running.delete(wanted.url));
      running.set(wanted.url, work);
      return work;
    },
  };
}

async function readStore(store: CollateralStore, wanted: Wanted): Promise<Answer | undefined> {
  try {
    const answer = await store.get(wanted.url);
    if (answer !== undefined) wanted.check(answer);
    return answer;
  } catch {
    // A store is a convenience: whatever is wrong with it, the network is asked.
    return undefined;
  }
}

function offline(url: string): never {
  throw new DonjonError(
    "collateral/unavailable",
    `Cannot get '${url}': found none in the store, wanted one there, or a 'fetch' to ask with`,
    { details: { url } },
  );
}
