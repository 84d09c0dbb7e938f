import { readdirSync, readFileSync } from "node:fs";

/** Process ids below `parent`, read from `/proc`. */
export function listDescendants(parent: number): number[] {
  const children = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "latin1");
        return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === parent;
      } catch {
        return false;
      }
    })
    .map(Number);
  return children.flatMap((child) => [child, ...listDescendants(child)]);
}
