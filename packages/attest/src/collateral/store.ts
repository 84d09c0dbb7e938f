/** Where answers are kept between requests, and read from without a network. */
import { decodeBase64, encodeBase64 } from "@donjon/core/base64";
import { DonjonError } from "@donjon/core/errors";
import { encodeHex } from "@donjon/core/hex";

/** One answer of a vendor's service. */
export interface Answer {
  readonly url: string;
  /** When it was fetched, in milliseconds since 1970. */
  readonly atMs: number;
  /** The headers that carry issuer chains, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** A store may lose what it was given, and may fail: then the answer is fetched again. */
export interface CollateralStore {
  get(url: string): Promise<Answer | undefined>;
  put(answer: Answer): Promise<void>;
}

/** Answers kept in memory: a fleet of some hundred chips fits. */
const MAX_ENTRIES = 1024;

/** Oldest answers leave first. */
export function createMemoryStore(options: { readonly entries?: number } = {}): CollateralStore {
  const { entries = MAX_ENTRIES } = options;
  const answers = new Map<string, Answer>();
  return {
    get: async (url) => answers.get(url),
    put: async (answer) => {
      answers.delete(answer.url);
      answers.set(answer.url, answer);
      const oldest = answers.keys().next();
      if (answers.size > entries && !oldest.done) answers.delete(oldest.value);
    },
  };
}

/** Named byte strings, as a directory has them; names are letters, digits, `.` and `-`. */
export interface FileAccess {
  /** `undefined` when there is none of this name. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** Whole or not at all: another reader must not see half a file. */
  write(name: string, bytes: Uint8Array): Promise<void>;
}

/** Answers in files, one each. A file that is not what this wrote is no answer; verification never trusts one anyway. */
export function createFileStore(files: FileAccess): CollateralStore {
  return {
    get: async (url) => {
      const bytes = await files.read(await fileName(url));
      const answer = bytes && readAnswer(bytes);
      return answer?.url === url ? answer : undefined;
    },
    put: async (answer) => {
      const json = { ...answer, body: encodeBase64(answer.body) };
      await files.write(await fileName(answer.url), new TextEncoder().encode(JSON.stringify(json)));
    },
  };
}

async function fileName(url: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(url));
  return `${encodeHex(new Uint8Array(digest))}.json`;
}

function readAnswer(bytes: Uint8Array): Answer | undefined {
  try {
    const { url, atMs, headers, body } = JSON.parse(new TextDecoder().decode(bytes));
    const good =
      typeof url === "string" &&
      typeof atMs === "number" &&
      typeof body === "string" &&
      typeof headers === "object" &&
      headers !== null &&
      Object.values(headers).every((value) => typeof value === "string");
    return good ? { url, atMs, headers, body: decodeBase64(body) } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof DonjonError) return undefined;
    // `null` and numbers are JSON too, and have no members.
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
