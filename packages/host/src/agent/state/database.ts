/** The agent's state: one SQLite file, which a restarted agent finds its Keeps by. */
import { join } from "node:path";
import { DatabaseSync, type DatabaseSyncOptions } from "node:sqlite";
import { DonjonError } from "@donjon/core/errors";
import { explainSystemError } from "@donjon/core/system-error";
import { makeDirectory } from "../../files/make-directory.ts";

/** Each makes the next version of the schema out of the one before; the first out of nothing. Never changed once released. */
const MIGRATIONS = [
  `
  CREATE TABLE keeps (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    owner TEXT,
    name TEXT,
    record TEXT NOT NULL,
    UNIQUE (owner, name)
  ) STRICT;
  CREATE TABLE callers (
    name TEXT PRIMARY KEY,
    token_id TEXT NOT NULL UNIQUE,
    token_hash BLOB NOT NULL,
    role TEXT NOT NULL,
    limits TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;
`,
  // Callers have network rules, and those there are get the default. Wardens of pooled Keeps from before know none.
  `
  ALTER TABLE callers ADD COLUMN network TEXT NOT NULL DEFAULT '{"connect":null,"listen":null}';
  UPDATE keeps SET record = json_set(record, '$.network', NULL);
  UPDATE keeps SET state = 'removing' WHERE state = 'pooled';
`,
] as const;
/** Another process may be writing: `donjon agent token` beside a running agent. */
const BUSY_MS = 5_000;

/** Opens or makes the database of a state directory. Throws `files/write`. */
export function openDatabase(directory: string): DatabaseSync {
  try {
    makeDirectory(directory);
    const database = openPrivate(join(directory, "agent.db"), { timeout: BUSY_MS });
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
    migrate(database);
    return database;
  } catch (cause) {
    if (cause instanceof DonjonError) throw cause;
    throw new DonjonError(
      "files/write",
      `the agent's state in '${directory}' cannot be opened: ${explainSystemError(cause)}; give another directory with --state, or put a copy of agent.db back`,
      { cause },
    );
  }
}

/** Nobody but this user may read it, also in a directory that was there: SQLite gives files beside it the same mode. */
function openPrivate(path: string, options: DatabaseSyncOptions = {}): DatabaseSync {
  const mask = process.umask(0o077);
  try {
    return new DatabaseSync(path, options);
  } finally {
    process.umask(mask);
  }
}

function migrate(database: DatabaseSync): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    const { user_version: found } = database.prepare("PRAGMA user_version").get() as {
      user_version: number;
    };
    if (found > MIGRATIONS.length) {
      throw new DonjonError(
        "agent/state",
        `the agent's state is of version ${found}, and this agent reads up to version ${MIGRATIONS.length}; use the Donjon that wrote it`,
      );
    }
    for (const migration of MIGRATIONS.slice(found)) database.exec(migration);
    database.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
    database.exec("COMMIT");
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}

export interface StateLock {
  release(): void;
}

/**
 * One agent per state directory. The lock is the kernel's, held by an open transaction on a database of its own, so it goes
 * with the process however that ends. Throws `agent/conflict`.
 */
export function lockState(directory: string): StateLock {
  makeDirectory(directory);
  const lock = openPrivate(join(directory, "lock.db"));
  try {
    lock.exec("BEGIN EXCLUSIVE");
  } catch (cause) {
    lock.close();
    throw new DonjonError(
      "agent/conflict",
      `another agent uses the state in '${directory}'; stop it, or give this one a directory of its own: --state DIR`,
      { cause },
    );
  }
  return { release: () => lock.close() };
}
