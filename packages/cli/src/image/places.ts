/** What an image of this installation is built from. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ImageSource } from "@donjon/host/image/find";
import { findRuntime } from "../early-keep.ts";

const LOCK_NAME = "image.lock.json";

export function findSource(): ImageSource {
  return { engine: process.execPath, runtime: findRuntime() };
}

/** Beside this bundle where installed, in the package of the host's side in the repository. */
export function findLock(): string {
  const here = dirname(process.argv[1]!);
  const beside = join(here, LOCK_NAME);
  return existsSync(beside) ? beside : join(here, "../../host", LOCK_NAME);
}
