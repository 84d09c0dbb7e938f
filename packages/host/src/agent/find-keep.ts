import { DonjonError } from "@donjon/core/errors";
import type { Caller } from "./caller.ts";
import type { KeepStore, StoredKeep } from "./state/keep-store.ts";

/** Digits of an id that are enough to name a Keep by. */
const MIN_PREFIX = 4;

/** The caller's Keeps, everybody's for an operator. */
export function listVisible(store: KeepStore, caller: Caller): readonly StoredKeep[] {
  const keeps = caller.role === "operator" ? store.list() : store.listOf(caller.name);
  return keeps.filter(({ owner, state }) => owner !== null && state !== "removing");
}

/**
 * The Keep of that id, else of that name, else whose id begins so. Somebody else's Keep is not there.
 * Throws `agent/not-found`, `agent/conflict` when several are meant.
 */
export function findKeep(store: KeepStore, caller: Caller, wanted: string): StoredKeep {
  const visible = listVisible(store, caller);
  const own = visible.filter(({ owner }) => owner === caller.name);
  for (const found of [
    visible.filter(({ id }) => id === wanted),
    own.filter(({ name }) => name === wanted),
    visible.filter(({ name }) => name === wanted),
    wanted.length < MIN_PREFIX ? [] : visible.filter(({ id }) => id.startsWith(wanted)),
  ]) {
    if (found.length === 1) return found[0]!;
    if (found.length > 1) {
      const ids = found.map(({ id }) => id).join(", ");
      throw new DonjonError(
        "agent/conflict",
        `'${wanted}' may be any of ${ids}; say which by its id`,
      );
    }
  }
  throw new DonjonError("agent/not-found", `there is no Keep '${wanted}'`);
}
