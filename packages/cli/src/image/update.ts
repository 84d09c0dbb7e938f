import { existsSync } from "node:fs";
import { type ImageLock, readLock, writeLock } from "@donjon/host/image/lock";
import { createLock } from "@donjon/host/image/update";
import { EXIT } from "../output/exit-codes.ts";
import { findLock, findSource } from "./places.ts";

interface Move {
  readonly input: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** Throws `image/packages`. The lock file is written only when everything was found. */
export async function runImageUpdate(options: {
  readonly lock?: string;
  readonly json?: boolean;
}): Promise<number> {
  const path = options.lock ?? findLock();
  const before = existsSync(path) ? readLock(path) : null;
  const after = await createLock(findSource().engine);
  const moves = listMoves(before, after);
  if (moves.length > 0) writeLock(path, after);
  if (options.json) process.stdout.write(`${JSON.stringify({ lock: path, moves })}\n`);
  else {
    const lines = moves.map(
      (move) => `${move.input}: ${move.before ?? "-"} -> ${move.after ?? "-"}`,
    );
    process.stdout.write(moves.length === 0 ? `${path} is up to date\n` : `${lines.join("\n")}\n`);
  }
  return EXIT.ok;
}

/** Versions by input; the same version with other bytes is a move too. */
function listMoves(before: ImageLock | null, after: ImageLock): Move[] {
  const [old, now] = [listVersions(before), listVersions(after)];
  return [...new Set([...old.keys(), ...now.keys()])]
    .map((input) => ({ input, before: old.get(input) ?? null, after: now.get(input) ?? null }))
    .filter((move) => move.before !== move.after);
}

function listVersions(lock: ImageLock | null): Map<string, string> {
  if (lock === null) return new Map();
  const { engine, packages } = lock;
  const name = (version: string, sha256: string) => `${version} (sha256 ${sha256.slice(0, 16)})`;
  return new Map([
    [engine.package, name(engine.version, engine.sha256)],
    ...packages.map((each): [string, string] => [each.name, name(each.version, each.sha256)]),
  ]);
}
