import { bytesKey } from "@donjon/core/bytes";

/** Signature schemes of the vendors, with their WebCrypto parameters. */
const SCHEMES = {
  "ecdsa-p256-sha256": {
    key: { name: "ECDSA", namedCurve: "P-256" },
    verify: { name: "ECDSA", hash: "SHA-256" },
  },
  "ecdsa-p384-sha384": {
    key: { name: "ECDSA", namedCurve: "P-384" },
    verify: { name: "ECDSA", hash: "SHA-384" },
  },
  // Salt of 48 octets, MGF1 with SHA-384: AMD's ARK, ASK and ASVK.
  "rsa-pss-sha384": {
    key: { name: "RSA-PSS", hash: "SHA-384" },
    verify: { name: "RSA-PSS", saltLength: 48 },
  },
} as const;

export type SignatureScheme = keyof typeof SCHEMES;

/** Entries of each kind kept; a fleet of one cloud region fits, an attacker's stream of certificates does not grow it. */
const MAX_ENTRIES = 4096;
/** Octets of each kind kept: what is parsed need not be genuine, and a revocation list may be large. */
const MAX_OCTETS = 16 << 20;

/**
 * Remembers imported keys, good signatures and parsed certificates, each under the exact octets that
 * it came from, so that nothing can be mistaken for something else. It never holds a failure.
 * Oldest entries leave first. Sharing one between verifications changes their speed, never their answer.
 */
export class VerifyCache {
  readonly #keys: Kept<Promise<CryptoKey | undefined>>;
  readonly #signatures: Kept<true>;
  /** Checks under way: chains checked side by side share links. */
  readonly #running = new Map<string, Promise<boolean>>();
  readonly #parsed: Kept<unknown>;
  readonly #pinned: Kept<Uint8Array>;

  constructor(options: { readonly entries?: number; readonly octets?: number } = {}) {
    const { entries = MAX_ENTRIES, octets = MAX_OCTETS } = options;
    this.#keys = new Kept(entries, octets);
    this.#signatures = new Kept(entries, octets);
    this.#parsed = new Kept(entries, octets);
    this.#pinned = new Kept(entries, octets);
  }

  /**
   * Whether `signature` (raw r|s for ECDSA) over `message` is by the key `spki` (SubjectPublicKeyInfo DER).
   * A key that WebCrypto cannot import verifies nothing.
   *
   * @param remember keep a good answer: for certificates, CRLs and collateral, not for evidence, which comes once
   */
  async verifySignature(
    scheme: SignatureScheme,
    spki: Uint8Array,
    signature: Uint8Array,
    message: Uint8Array,
    remember = true,
  ): Promise<boolean> {
    if (!remember) return this.#verify(scheme, spki, signature, message);
    const id = signatureKey(scheme, spki, signature, message);
    if (this.#signatures.get(id) === true) return true;
    const before = this.#running.get(id);
    if (before !== undefined) return before;
    const running = this.#verify(scheme, spki, signature, message);
    this.#running.set(id, running);
    try {
      const good = await running;
      if (good) this.#signatures.set(id, true);
      return good;
    } finally {
      this.#running.delete(id);
    }
  }

  /** What `parse` made of exactly these octets before, or makes of them now. `kind` keeps parsers apart. */
  parsed<T>(kind: string, bytes: Uint8Array, parse: (bytes: Uint8Array) => T): T {
    const id = `${kind}:${bytesKey(bytes)}`;
    const before = this.#parsed.get(id);
    if (before !== undefined) return before as T;
    // A copy: the caller may write to its own bytes later, and parsed values are views.
    const value = parse(bytes.slice());
    this.#parsed.set(id, value);
    return value;
  }

  async #verify(
    scheme: SignatureScheme,
    spki: Uint8Array,
    signature: Uint8Array,
    message: Uint8Array,
  ): Promise<boolean> {
    const key = await this.#importKey(scheme, spki);
    if (key === undefined) return false;
    return crypto.subtle.verify(SCHEMES[scheme].verify, key, plain(signature), plain(message));
  }

  /** The octets of a pinned constant in base64. */
  pinned(base64: string): Uint8Array {
    const before = this.#pinned.get(base64);
    if (before !== undefined) return before;
    const octets = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    this.#pinned.set(base64, octets);
    return octets;
  }

  async #importKey(scheme: SignatureScheme, spki: Uint8Array): Promise<CryptoKey | undefined> {
    const id = `${scheme}:${bytesKey(spki)}`;
    const before = this.#keys.get(id);
    if (before !== undefined) return before;
    const key = importKey(scheme, spki);
    this.#keys.set(id, key);
    if ((await key) === undefined) this.#keys.delete(id);
    return key;
  }
}

async function importKey(
  scheme: SignatureScheme,
  spki: Uint8Array,
): Promise<CryptoKey | undefined> {
  try {
    return await crypto.subtle.importKey("spki", plain(spki), SCHEMES[scheme].key, false, [
      "verify",
    ]);
  } catch {
    // WebCrypto names no reason; a key off the curve or of another kind has signed nothing.
    return undefined;
  }
}

function signatureKey(
  scheme: string,
  spki: Uint8Array,
  signature: Uint8Array,
  message: Uint8Array,
): string {
  // Lengths keep the three parts apart.
  return `${scheme}:${spki.length}:${signature.length}:${bytesKey(spki)}${bytesKey(signature)}${bytesKey(message)}`;
}

/** Values under the octets that they came from, bounded in number and octets; the oldest leave first. */
class Kept<T> {
  readonly #values = new Map<string, T>();
  readonly #entries: number;
  readonly #octets: number;
  #held = 0;

  constructor(entries: number, octets: number) {
    this.#entries = entries;
    this.#octets = octets;
  }

  get(id: string): T | undefined {
    return this.#values.get(id);
  }

  set(id: string, value: T): void {
    this.delete(id);
    this.#values.set(id, value);
    this.#held += id.length;
    for (const oldest of this.#values.keys()) {
      if (this.#values.size <= this.#entries && this.#held <= this.#octets) break;
      this.delete(oldest);
    }
  }

  delete(id: string): void {
    if (this.#values.delete(id)) this.#held -= id.length;
  }
}

/** WebCrypto takes no view of shared memory; such a view is copied. */
function plain(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer
    ? (bytes as Uint8Array<ArrayBuffer>)
    : new Uint8Array(bytes);
}
