/** The Keeps that an agent answers for, as rows. */
import type { DatabaseSync } from "node:sqlite";
import type { KeepRecord } from "@donjon/protocol/agent/keep-record";

/**
 * `pooled`: started, nobody's yet. `handing-out`: its new owner does not have it yet; shown as `starting`. `removing`: to be
 * gone, whatever happens.
 */
export type StoredState = KeepRecord["state"] | "pooled" | "handing-out" | "removing";

/** What is remembered of a Keep; what it says of itself is asked for. */
export type StoredKeep = Omit<KeepRecord, "state" | "health" | "owner"> & {
  readonly state: StoredState;
  /** `null`: nobody's yet. */
  readonly owner: string | null;
};

type Row = { id: string; state: StoredState; owner: string | null; record: string };
type Rest = Omit<StoredKeep, "id" | "state" | "owner">;

export class KeepStore {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Throws an SQLite error when id, or name and owner, are there already. */
  insert({ id, state, owner, ...rest }: StoredKeep): void {
    this.#run("INSERT INTO keeps (id, state, owner, name, record) VALUES (?, ?, ?, ?, ?)", [
      id,
      state,
      owner,
      owner === null ? null : rest.name,
      JSON.stringify(rest satisfies Rest),
    ]);
  }

  update(id: string, change: Partial<Omit<StoredKeep, "id">>): StoredKeep {
    const before = this.get(id);
    if (before === null) throw new RangeError(`there is no Keep ${id}`);
    const { state, owner, ...rest } = { ...before, ...change };
    const { id: _, ...record } = rest;
    this.#run("UPDATE keeps SET state = ?, owner = ?, name = ?, record = ? WHERE id = ?", [
      state,
      owner,
      owner === null ? null : rest.name,
      JSON.stringify(record satisfies Rest),
      id,
    ]);
    return { ...rest, state, owner };
  }

  delete(id: string): void {
    this.#run("DELETE FROM keeps WHERE id = ?", [id]);
  }

  get(id: string): StoredKeep | null {
    const row = this.#database.prepare("SELECT * FROM keeps WHERE id = ?").get(id);
    return row === undefined ? null : toKeep(row as Row);
  }

  list(): readonly StoredKeep[] {
    const rows = this.#database.prepare("SELECT * FROM keeps ORDER BY rowid").all();
    return (rows as Row[]).map(toKeep);
  }

  listOf(owner: string): readonly StoredKeep[] {
    const rows = this.#database
      .prepare("SELECT * FROM keeps WHERE owner = ? ORDER BY rowid")
      .all(owner);
    return (rows as Row[]).map(toKeep);
  }

  #run(sql: string, values: readonly (string | null)[]): void {
    this.#database.prepare(sql).run(...values);
  }
}

function toKeep({ id, state, owner, record }: Row): StoredKeep {
  return { ...(JSON.parse(record) as Rest), id, state, owner };
}
