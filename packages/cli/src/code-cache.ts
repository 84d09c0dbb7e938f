/** V8's compiled form of the command's own programs, kept on disk: loading them is a fifth of a short command's time. */
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { codeCacheDirectory } from "@donjon/host/image/places";

/** What lies where others may write would run as this user. */
const WRITABLE_BY_OTHERS = 0o022;

/** Uses the cache where only this user can have written it, and does without in every other case. */
export function enableCodeCache(): void {
  const folder = codeCacheDirectory();
  // The folder that the environment names comes first: `sudo` may have kept another user's.
  if ([join(folder, "../.."), join(folder, ".."), folder].every(makeOwn)) {
    process.getBuiltinModule("node:module").enableCompileCache(folder);
  }
}

/** Whether the folder, made where it was missing, is this user's alone to write. */
function makeOwn(folder: string): boolean {
  try {
    // One level at a time: below `/proc` the engine's recursive form never ends.
    mkdirSync(folder, { mode: 0o700 });
  } catch {
    // It is there, or cannot be made, which the next call tells.
  }
  try {
    const { uid, mode } = statSync(folder);
    return uid === process.geteuid?.() && (mode & WRITABLE_BY_OTHERS) === 0;
  } catch {
    return false;
  }
}
