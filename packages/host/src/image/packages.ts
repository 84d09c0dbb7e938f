/** The locked Debian packages: fetched through the machine's package client, checked, and their files taken out. */
import { execFile } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
} from "node:fs";
import { basename, join, sep } from "node:path";
import { promisify } from "node:util";
import { DonjonError } from "@donjon/core/errors";
import { AS_USUAL, makeDirectory } from "../files/make-directory.ts";
import { openApt } from "./apt.ts";
import { hashFile } from "./hash-cache.ts";
import type { ImageLock, LockedPackage } from "./lock.ts";
import { packageCacheDirectory } from "./places.ts";

const run = promisify(execFile);
const TIMEOUT_MS = 300_000;

export interface PackageOptions {
  /** A directory with the `.deb` files, in place of the package client. */
  readonly packages?: string;
  readonly onProgress?: (what: string) => void;
}

/**
 * The `.deb` files of all locked packages, in the order of the lock, each with the hash that is locked.
 * Throws `image/packages`, and `image/changed` for a package whose bytes are not those of the lock.
 */
export async function fetchPackages(lock: ImageLock, options: PackageOptions): Promise<string[]> {
  if (options.packages !== undefined) {
    const directory = options.packages;
    return lock.packages.map((each) => checkPackage(findGiven(each, directory), each));
  }
  const cache = join(packageCacheDirectory(), lock.suite, "debs");
  makeDirectory(cache);
  const missing = lock.packages.filter((each) => !existsSync(join(cache, fileName(each))));
  if (missing.length > 0) await download(lock, missing, cache, options);
  return lock.packages.map((each) => checkPackage(join(cache, fileName(each)), each));
}

async function download(
  lock: ImageLock,
  missing: readonly LockedPackage[],
  cache: string,
  { onProgress }: PackageOptions,
): Promise<void> {
  const apt = openApt(lock.suite);
  onProgress?.("lists of packages");
  await apt.update();
  for (const [i, each] of missing.entries()) {
    onProgress?.(`package ${i + 1} of ${missing.length}: ${each.name} ${each.version}`);
    const draft = mkdtempSync(join(cache, "draft-"));
    try {
      await apt.download(each.name, each.version, draft);
      const file = readdirSync(draft).find((name) => name.endsWith(".deb"));
      if (file === undefined)
        throw new DonjonError(
          "image/packages",
          `'apt-get download' wrote no package for '${each.name}'`,
        );
      checkPackage(join(draft, file), each);
      renameSync(join(draft, file), join(cache, fileName(each)));
    } catch (cause) {
      if (cause instanceof DonjonError && cause.code === "image/changed") throw cause;
      const message = `the locked package ${each.name} ${each.version} cannot be had: ${(cause as Error).message}; Debian keeps old versions for a while only: 'donjon image update' moves the lock to what there is`;
      throw new DonjonError("image/packages", message, { cause });
    } finally {
      rmSync(draft, { recursive: true, force: true });
    }
  }
}

/** A version's epoch has a colon, which file names do without. */
function fileName({ name, version, architecture }: LockedPackage): string {
  return `${name}_${version.replace(/^\d+:/, "")}_${architecture}.deb`;
}

function findGiven(locked: LockedPackage, directory: string): string {
  const path = join(directory, fileName(locked));
  if (existsSync(path)) return path;
  throw new DonjonError(
    "image/packages",
    `'${path}' is not there; wanted the locked package of that name`,
  );
}

function checkPackage(path: string, { name, version, sha256 }: LockedPackage): string {
  const found = hashFile(path).sha256;
  if (found === sha256) return path;
  const message = `'${path}' has SHA-256 ${found}, wanted ${sha256} for ${name} ${version}; delete it and build again, or run 'donjon image update'`;
  throw new DonjonError("image/changed", message, {
    details: { input: name, found, wanted: sha256 },
  });
}

/** Copies the locked files of one package to their places below `target`; links inside the package are followed. */
export async function unpackPackage(
  deb: string,
  { name, files }: LockedPackage,
  target: string,
): Promise<void> {
  const draft = mkdtempSync(join(target, ".unpack-"));
  try {
    await run("dpkg-deb", ["-x", deb, draft], { timeout: TIMEOUT_MS });
    for (const [from, to] of Object.entries(files)) {
      const path = resolveInside(draft, from, name);
      const place = join(target, to);
      makeDirectory(join(place, ".."), AS_USUAL);
      cpSync(path, place, { errorOnExist: true });
    }
  } catch (cause) {
    if (cause instanceof DonjonError) throw cause;
    const message = `the package '${basename(deb)}' cannot be unpacked: ${(cause as Error).message}`;
    throw new DonjonError("image/packages", message, { cause });
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

function resolveInside(root: string, path: string, name: string): string {
  const real = existsSync(join(root, path)) ? realpathSync(join(root, path)) : null;
  if (real?.startsWith(realpathSync(root) + sep)) return real;
  throw new DonjonError(
    "image/packages",
    `the package '${name}' has no file '${path}'; run 'donjon image update'`,
  );
}
