/** Where Donjon keeps files of its own on this machine (XDG Base Directory Specification). */
import { isAbsolute, join } from "node:path";

/** Built images: may be deleted at any time and built again. */
export function imageCacheDirectory(): string {
  return join(baseDirectory("XDG_CACHE_HOME", ".cache"), "donjon", "image");
}

/** The engine's compiled form of the command's programs: may be deleted at any time. */
export function codeCacheDirectory(): string {
  return join(baseDirectory("XDG_CACHE_HOME", ".cache"), "donjon", "code");
}

/** Packages that images are built from, and the private lists of the package client. */
export function packageCacheDirectory(): string {
  return join(baseDirectory("XDG_CACHE_HOME", ".cache"), "donjon", "packages");
}

/** What the vendors publish about their hardware, as it was fetched. */
export function collateralCacheDirectory(): string {
  return join(baseDirectory("XDG_CACHE_HOME", ".cache"), "donjon", "collateral");
}

/** What belongs to the user and not to this machine's state: keys. */
export function configDirectory(): string {
  return join(baseDirectory("XDG_CONFIG_HOME", ".config"), "donjon");
}

/** What Donjon remembers between runs. */
export function stateDirectory(): string {
  return join(baseDirectory("XDG_STATE_HOME", ".local/state"), "donjon");
}

/** The specification says that a relative path is to be ignored. */
function baseDirectory(variable: string, fallback: string): string {
  const named = process.env[variable];
  if (named !== undefined && isAbsolute(named)) return named;
  // Loaded only where needed: this is on the way of every start.
  const home = process.env["HOME"] || process.getBuiltinModule("node:os").homedir();
  return join(home, fallback);
}
