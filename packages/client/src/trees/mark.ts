/** What a path of the owner's tree looked like when it was packed; equal marks mean "not changed". */
import { type BigIntStats, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { lookAt } from "./host-path.ts";

/** By path in the tree. */
export type TreeMarks = ReadonlyMap<string, string>;

export function createMark(path: string, stat: BigIntStats): string {
  if (stat.isDirectory()) return "directory";
  if (stat.isSymbolicLink()) return `symlink ${readlinkSync(path)}`;
  return `file ${stat.dev} ${stat.ino} ${stat.mode} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`;
}

/** The first path at or below `path` that is not as it was; `null` when all is. */
export function findChange(root: string, path: string, marks: TreeMarks): string | null {
  const stat = lookAt(join(root, path));
  const now = stat === null ? undefined : createMark(join(root, path), stat);
  return now === marks.get(path) ? null : path;
}

/** Like `findChange`, for everything below the directory `path` as well. */
export function findChangeBelow(root: string, path: string, marks: TreeMarks): string | null {
  const prefix = `${path}/`;
  const expected = new Set([path]);
  for (const marked of marks.keys()) if (marked.startsWith(prefix)) expected.add(marked);
  const waiting = [path];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    if (findChange(root, at, marks) !== null) return at;
    expected.delete(at);
    if (marks.get(at) !== "directory") continue;
    for (const name of readdirSync(join(root, at))) waiting.push(`${at}/${name}`);
  }
  return expected.values().next().value ?? null;
}
