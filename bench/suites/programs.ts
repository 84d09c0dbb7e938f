/** Large programs made by others; they are there after `npm run programs` has installed them. */
import type { Program } from "../lib/engines.ts";

export function findPrograms(): { name: string; program: Program; native: boolean }[] {
  return [];
}
