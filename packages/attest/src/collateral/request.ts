/** One answer over HTTP, bounded in time and size, with back-off. The service is not trusted: it can only be late or wrong. */
import { concatBytes } from "@donjon/core/bytes";
import { DonjonError, type ErrorCode } from "@donjon/core/errors";
import type { Wanted } from "./source.ts";
import type { Answer } from "./store.ts";

export interface Transport {
  readonly fetch: typeof fetch;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly timeoutMs: number;
  readonly totalMs: number;
  readonly attempts: number;
}

/** First wait; each next is twice as long. */
const BACK_OFF_MS = 500;
/** Octets of one header that is kept: an issuer chain, URL-encoded, takes 4,000. */
const MAX_HEADER_CHARACTERS = 65_536;

/** Services that are busy, or say to come back: worth another attempt. Everything else is an answer. */
const BUSY: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);

type Attempt =
  | { readonly answer: Answer }
  | { readonly again: DonjonError; readonly afterMs: number | undefined };

/** @throws DonjonError `collateral/unavailable`, `collateral/answer`, `collateral/limit` */
export async function request(wanted: Wanted, transport: Transport): Promise<Answer> {
  const deadline = transport.now() + transport.totalMs;
  for (let attempt = 1; ; attempt++) {
    const left = deadline - transport.now();
    const result = await tryOnce(wanted, transport, Math.min(transport.timeoutMs, left));
    if ("answer" in result) {
      wanted.check(result.answer);
      return result.answer;
    }
    const waitMs = result.afterMs ?? BACK_OFF_MS * 2 ** (attempt - 1);
    // A service that wants a longer wait than the caller has is not asked again before its time.
    if (attempt >= transport.attempts || transport.now() + waitMs >= deadline) throw result.again;
    await transport.sleep(waitMs);
  }
}

async function tryOnce(wanted: Wanted, transport: Transport, ms: number): Promise<Attempt> {
  const { url } = wanted;
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), ms);
  try {
    // No vendor redirects; following one would let a service choose whom we ask. It shows as a status that is not 200.
    const response = await transport.fetch(url, { redirect: "manual", signal: abort.signal });
    if (!response.ok) {
      await response.body?.cancel();
      return refuseStatus(wanted, response, transport.now());
    }
    const body = await readBody(wanted, response);
    const headers = readHeaders(wanted, response);
    return { answer: { url, atMs: transport.now(), headers, body } };
  } catch (cause) {
    if (cause instanceof DonjonError) throw cause;
    const found = abort.signal.aborted ? `no answer within ${ms} ms` : describe(cause);
    return {
      again: failure("collateral/unavailable", url, found, "an answer", cause),
      afterMs: undefined,
    };
  } finally {
    clearTimeout(timer);
  }
}

function refuseStatus({ url }: Wanted, response: Response, nowMs: number): Attempt {
  const busy = BUSY.has(response.status);
  const code = busy ? "collateral/unavailable" : "collateral/answer";
  const error = failure(code, url, `status ${response.status}`, "status 200");
  if (!busy) throw error;
  return { again: error, afterMs: readRetryAfter(response.headers.get("retry-after"), nowMs) };
}

/** RFC 9110 section 10.2.3: seconds, or a date. What is neither is no wish. */
function readRetryAfter(text: string | null, nowMs: number): number | undefined {
  if (text === null) return undefined;
  if (/^\d{1,9}$/.test(text)) return 1000 * Number(text);
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

async function readBody({ url, maxBytes }: Wanted, response: Response): Promise<Uint8Array> {
  const tooLarge = (found: string) =>
    failure("collateral/limit", url, found, `at most ${maxBytes} octets`);
  // The announced size may be a lie either way; the octets are counted as well.
  const announced = Number(response.headers.get("content-length") ?? 0);
  const reader = response.body?.getReader();
  if (announced > maxBytes) {
    await reader?.cancel();
    throw tooLarge(`${announced} octets announced`);
  }
  const parts: Uint8Array[] = [];
  let size = 0;
  for (let step = await reader?.read(); step?.done === false; step = await reader?.read()) {
    size += step.value.length;
    if (size > maxBytes) {
      await reader?.cancel();
      throw tooLarge(`more than ${maxBytes} octets`);
    }
    parts.push(step.value);
  }
  return concatBytes(...parts);
}

function readHeaders({ url, headers = [] }: Wanted, response: Response): Record<string, string> {
  const out: Record<string, string> = {};
  for (const name of headers) {
    const value = response.headers.get(name);
    if (value === null) continue;
    if (value.length > MAX_HEADER_CHARACTERS) {
      const found = `${value.length} characters in header '${name}'`;
      throw failure("collateral/limit", url, found, `at most ${MAX_HEADER_CHARACTERS}`);
    }
    out[name] = value;
  }
  return out;
}

export function failure(
  code: ErrorCode,
  url: string,
  found: string,
  wanted: string,
  cause?: unknown,
): DonjonError {
  const message = `Cannot get '${url}': found ${found}, wanted ${wanted}`;
  return new DonjonError(code, message, { cause, details: { url } });
}

/** `fetch` says "fetch failed" and puts the reason into the cause. */
function describe(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return inner instanceof Error ? inner.message || inner.name : String(inner);
}
