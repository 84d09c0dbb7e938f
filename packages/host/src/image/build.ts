/** Builds a Keep image from pinned inputs: a folder whose bytes are the same wherever it is built (docs/image.md). */
import { hash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { DonjonError } from "@donjon/core/errors";
import { AS_USUAL, makeDirectory } from "../files/make-directory.ts";
import { digestTree } from "./digest.ts";
import { type ImageSource, imageFiles, type KeepImageFiles } from "./find.ts";
import { encodeGuestInit, GUEST_COMMAND_LINE } from "./guest-init.ts";
import { hashFile } from "./hash-cache.ts";
import { compressInitrd, writeInitrd } from "./initrd.ts";
import { extractVmlinux } from "./kernel.ts";
import type { ImageLock } from "./lock.ts";
import { fetchPackages, type PackageOptions, unpackPackage } from "./packages.ts";
import { encodeRecord, type ImageRecord, RECORD_FORMAT, RECORD_NAME } from "./record.ts";
import { stripElf } from "./strip.ts";
import { ENGINE_PATH, LOADER_PATH, listTree, RUNTIME_PATH } from "./tree.ts";

export interface BuildInputs extends PackageOptions {
  readonly source: ImageSource;
  readonly lock: ImageLock;
}

export interface BuiltImage {
  readonly files: KeepImageFiles;
  readonly record: ImageRecord;
}

/** Files that programs start; everything else is read. */
const EXECUTABLES: ReadonlySet<string> = new Set([ENGINE_PATH, LOADER_PATH, "init"]);
/** Of every file in an image. */
const FIXED_TIME = new Date(0);

/**
 * Builds into `directory`, which must not be there yet. It appears whole or not at all.
 * Throws `image/packages`, `image/changed` for an input that is not the locked one, `files/read`, `files/write`.
 */
export async function buildImage(inputs: BuildInputs, directory: string): Promise<BuiltImage> {
  if (existsSync(directory)) {
    const message = `'${directory}' is there already; give a folder that is not`;
    throw new DonjonError("files/write", message);
  }
  makeDirectory(dirname(directory), AS_USUAL);
  const draft = mkdtempSync(join(dirname(directory), ".donjon-image-"));
  try {
    const record = await buildInto(draft, inputs);
    chmodSync(draft, 0o755);
    renameSync(draft, directory);
    return { files: imageFiles(directory, record.digest), record };
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

async function buildInto(directory: string, inputs: BuildInputs): Promise<ImageRecord> {
  const { lock, source, onProgress } = inputs;
  const debs = await fetchPackages(lock, inputs);
  const tree = join(directory, "tree");
  makeDirectory(join(tree, dirname(ENGINE_PATH)), AS_USUAL);
  onProgress?.("engine");
  writeFileSync(join(tree, ENGINE_PATH), stripElf(readEngine(source.engine, lock)));
  copyFileSync(realpathSync(source.runtime), join(tree, RUNTIME_PATH));
  onProgress?.(`files of ${lock.packages.length} packages`);
  for (const [i, locked] of lock.packages.entries()) {
    await unpackPackage(debs[i]!, locked, directory);
  }
  settle(tree);
  const { digest, entries } = digestTree(listTree(tree));

  const files = imageFiles(directory, digest);
  onProgress?.("kernel");
  writeFileSync(files.vmlinux, extractVmlinux(readFileSync(files.kernel)));
  writeFileSync(files.cmdline, GUEST_COMMAND_LINE);
  onProgress?.("initrd");
  const init = join(directory, "init");
  writeFileSync(init, encodeGuestInit());
  const modules = listModules(directory);
  writeInitrd(files.initrd, {
    tree: entries.map((entry) => ({ ...entry, source: join(tree, entry.path) })),
    modules,
    init,
  });
  onProgress?.("initrd, compressed");
  await compressInitrd(files.initrd, files.initrdCompressed);
  const inputParts = [files.kernel, ...modules.map(({ source }) => source), init, files.cmdline];
  const boot = [...inputParts, files.vmlinux, files.initrd, files.initrdCompressed];
  const record: ImageRecord = {
    format: RECORD_FORMAT,
    digest,
    tree: entries,
    boot: boot.map((path) => {
      const { size, sha256 } = hashFile(path);
      return { name: relative(directory, path), size, sha256 };
    }),
    origins: listOrigins(lock),
    lock,
  };
  writeFileSync(join(directory, RECORD_NAME), encodeRecord(record));
  settle(directory);
  return record;
}

function readEngine(path: string, { engine }: ImageLock): Buffer {
  const bytes = readFileSync(realpathSync(path));
  const found = hash("sha256", bytes, "hex");
  if (found === engine.sha256) return bytes;
  const message = `the engine '${path}' has SHA-256 ${found}, wanted ${engine.sha256} for ${engine.package} ${engine.version}; run 'npm ci', or 'donjon image update'`;
  const details = { input: engine.package, found, wanted: engine.sha256 };
  throw new DonjonError("image/changed", message, { details });
}

function listModules(directory: string): { readonly path: string; readonly source: string }[] {
  return readdirSync(join(directory, "modules"))
    .sort()
    .map((name) => ({ path: `modules/${name}`, source: join(directory, "modules", name) }));
}

/** One mode for programs, one for all else, one time: whatever the packages and the umask say. */
function settle(directory: string): void {
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const executable =
      entry.isDirectory() || EXECUTABLES.has(relative(directory, path).replace(/^tree\//, ""));
    chmodSync(path, executable ? 0o755 : 0o644);
    utimesSync(path, FIXED_TIME, FIXED_TIME);
  }
}

function listOrigins({ engine, packages }: ImageLock): Record<string, string> {
  const origins: Record<string, string> = {
    [ENGINE_PATH]: `${engine.package} ${engine.version}`,
    [RUNTIME_PATH]: "runtime of Donjon",
    init: "first process of Donjon",
    cmdline: "kernel command line of Donjon",
  };
  for (const { name, version, files } of packages) {
    for (const path of Object.values(files))
      origins[path.replace(/^tree\//, "")] = `${name} ${version}`;
  }
  return origins;
}
