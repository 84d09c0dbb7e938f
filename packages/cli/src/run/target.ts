/** What the first argument of `run` and `inspect` means: a module, a manifest, or a directory with them. */
import { readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { DonjonError } from "@donjon/core/errors";
import { explainSystemError } from "@donjon/core/system-error";
import { parseEnarxManifest } from "@donjon/protocol/manifest/enarx";
import type { Manifest } from "@donjon/protocol/manifest/manifest";
import { parseManifest } from "@donjon/protocol/manifest/parse";

export const MANIFEST_NAME = "donjon.toml";
export const ENARX_NAME = "Enarx.toml";
/** The module's name where only a directory is given, as with Enarx. */
export const MODULE_NAME = "main.wasm";

export interface Target {
  /** A draft: digests may be missing. */
  readonly manifest: Manifest;
  /** The bytes of a `donjon.toml`, to be delivered as they are when nothing has to be filled in. */
  readonly source: Uint8Array | null;
  /** Path of the module on this machine. */
  readonly module: string;
  /** Paths in the manifest are relative to this directory. */
  readonly directory: string;
  readonly notes: readonly string[];
}

/**
 * @param wasmcfgfile an `Enarx.toml` that goes with the module, as `enarx run --wasmcfgfile`
 * @throws DonjonError `workload/not-found`, and those of the manifest parsers
 */
export function resolveTarget(path: string, wasmcfgfile?: string): Target {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) {
    throw notFound(
      `there is no file or directory '${path}'; give a .wasm file, a donjon.toml, or a directory with one of them`,
    );
  }
  if (wasmcfgfile !== undefined) {
    return readEnarx(wasmcfgfile, stat.isDirectory() ? join(path, MODULE_NAME) : path);
  }
  if (stat.isDirectory()) return resolveDirectory(path);
  if (basename(path) === ENARX_NAME) return readEnarx(path, join(dirname(path), MODULE_NAME));
  return path.endsWith(".toml") ? readManifest(path) : readModule(path);
}

function resolveDirectory(path: string): Target {
  const has = (name: string) =>
    statSync(join(path, name), { throwIfNoEntry: false })?.isFile() ?? false;
  if (has(MANIFEST_NAME)) return readManifest(join(path, MANIFEST_NAME));
  if (has(ENARX_NAME)) return readEnarx(join(path, ENARX_NAME), join(path, MODULE_NAME));
  if (has(MODULE_NAME)) return readModule(join(path, MODULE_NAME));
  throw notFound(
    `'${path}' has no ${MANIFEST_NAME}, ${ENARX_NAME} or ${MODULE_NAME}; 'donjon init' writes one`,
  );
}

function readManifest(file: string): Target {
  const source = readInput(file);
  const manifest = parseManifest(source, { file, draft: true });
  if (manifest.workload.file === null) {
    const message = `${file}: 'workload.file' is missing, and without it there is nothing to run`;
    throw new DonjonError("manifest/value", message, { details: { file } });
  }
  const directory = dirname(file);
  return {
    manifest,
    source,
    module: join(directory, manifest.workload.file),
    directory,
    notes: [],
  };
}

function readEnarx(file: string, module: string): Target {
  const { manifest, notes } = parseEnarxManifest(readInput(file), { file });
  return { manifest, source: null, module, directory: dirname(file), notes };
}

/** Without a manifest: stdio, and nothing else. */
function readModule(module: string): Target {
  const empty = parseManifest(new Uint8Array(), { draft: true });
  return {
    manifest: { ...empty, args: [basename(module)] },
    source: null,
    module,
    directory: ".",
    notes: [],
  };
}

/** @throws DonjonError `workload/not-found` */
export function readInput(file: string): Uint8Array<ArrayBuffer> {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw notFound(`'${file}' cannot be read: ${explainSystemError(cause)}`, cause);
  }
}

function notFound(message: string, cause?: unknown): DonjonError {
  return new DonjonError("workload/not-found", message, { cause });
}
