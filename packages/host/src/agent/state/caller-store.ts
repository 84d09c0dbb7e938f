/** Callers with tokens. A token is shown once; only its SHA-256 is kept. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { DonjonError } from "@donjon/core/errors";
import type { NetworkRules } from "@donjon/protocol/agent/keep-record";
import { completeRules, type GivenNetworkRules, NO_RULES_GIVEN } from "../../network/rules.ts";
import type { Caller, CallerLimits, CallerRole } from "../caller.ts";

export interface StoredCaller extends Caller {
  readonly network: NetworkRules;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** What is to be another; `null` in `network`: the default. */
export interface CallerChanges {
  readonly limits?: Partial<CallerLimits>;
  readonly network?: Partial<GivenNetworkRules>;
}

type Row = {
  name: string;
  token_hash: Uint8Array;
  role: CallerRole;
  limits: string;
  network: string;
  created_at: number;
};

/** Names that cannot be mistaken for a caller by socket or by certificate. */
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._@-]{0,62})$/;
const TOKEN = /^donjon_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;
const SECRET_BYTES = 32;

export class CallerStore {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /**
   * Answers the token. What `network` does not give follows the default, also when that changes. Throws `usage` for a bad
   * name, `agent/conflict` when there is one of that name.
   */
  add(
    name: string,
    role: CallerRole,
    limits: CallerLimits,
    network: GivenNetworkRules = NO_RULES_GIVEN,
  ): string {
    if (!NAME.test(name))
      throw new DonjonError(
        "usage",
        `'${name}' is no caller's name; use letters, digits, '.', '_', '@' and '-'`,
      );
    if (this.list().some((caller) => caller.name === name)) {
      const message = `there is a token for '${name}'; change what it may have: donjon agent token set ${name}, or take it away first: donjon agent token remove ${name}`;
      throw new DonjonError("agent/conflict", message);
    }
    const id = randomBytes(8).toString("hex");
    const secret = randomBytes(SECRET_BYTES).toString("base64url");
    this.#database
      .prepare(
        "INSERT INTO callers (name, token_id, token_hash, role, limits, network, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
      )
      .run(
        name,
        id,
        hashSecret(secret),
        role,
        JSON.stringify(limits),
        JSON.stringify(network),
        Date.now(),
      );
    return `donjon_${id}_${secret}`;
  }

  /**
   * What is not in `changes` stays, and so does the token. Keeps that are there have what they had. Throws
   * `agent/not-found`.
   */
  set(name: string, { limits, network }: CallerChanges): StoredCaller {
    const find = this.#database.prepare("SELECT * FROM callers WHERE name = ?");
    const update = this.#database.prepare(
      "UPDATE callers SET limits = ?, network = ? WHERE name = ?",
    );
    // Another process may change the same caller.
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const row = find.get(name) as Row | undefined;
      if (row === undefined) throw noToken(name);
      const changed = {
        ...row,
        limits: JSON.stringify({ ...JSON.parse(row.limits), ...limits }),
        network: JSON.stringify({ ...JSON.parse(row.network), ...network }),
      };
      update.run(changed.limits, changed.network, name);
      this.#database.exec("COMMIT");
      return toCaller(changed);
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  /** Throws `agent/not-found`. */
  remove(name: string): void {
    const { changes } = this.#database.prepare("DELETE FROM callers WHERE name = ?").run(name);
    if (Number(changes) === 0) throw noToken(name);
  }

  list(): readonly StoredCaller[] {
    const rows = this.#database.prepare("SELECT * FROM callers ORDER BY name").all();
    return (rows as Row[]).map(toCaller);
  }

  /** Whose token it is; `null`: nobody's. Takes as long for a wrong secret as for a right one. */
  find(token: string): StoredCaller | null {
    const [, id, secret] = TOKEN.exec(token) ?? [];
    if (id === undefined || secret === undefined) return null;
    const row = this.#database.prepare("SELECT * FROM callers WHERE token_id = ?").get(id) as
      | Row
      | undefined;
    const known = row?.token_hash ?? new Uint8Array(SECRET_BYTES);
    const same = timingSafeEqual(hashSecret(secret), known);
    return same && row !== undefined ? toCaller(row) : null;
  }
}

function noToken(name: string): DonjonError {
  return new DonjonError("agent/not-found", `there is no token for '${name}'`);
}

function hashSecret(secret: string): Uint8Array {
  return createHash("sha256").update(secret).digest();
}

function toCaller({ name, role, limits, network, created_at }: Row): StoredCaller {
  return {
    name,
    role,
    limits: JSON.parse(limits) as CallerLimits,
    network: completeRules(JSON.parse(network) as GivenNetworkRules),
    createdAt: created_at,
  };
}
