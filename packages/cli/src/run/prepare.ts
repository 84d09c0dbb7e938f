/** Everything that goes up in a session: the manifest's final bytes, the module, trees and secrets. */
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Provision } from "@donjon/client/session";
import { type LoadedTree, loadTree } from "@donjon/client/trees/read-tree";
import { DonjonError } from "@donjon/core/errors";
import { explainSystemError } from "@donjon/core/system-error";
import { MAX_SECRET_BYTES, MAX_WORKLOAD_BYTES } from "@donjon/protocol/limits";
import { encodeManifest } from "@donjon/protocol/manifest/encode";
import type { Manifest, PackedMount } from "@donjon/protocol/manifest/manifest";
import { formatBytes, type Progress } from "../output/progress.ts";
import { hashSha256 } from "./digest.ts";
import type { AppliedFlags, SecretFlag } from "./flags.ts";
import { readInput, type Target } from "./target.ts";

export interface WritableTree {
  readonly guest: string;
  readonly tree: LoadedTree;
}

export interface Prepared {
  /** As the Keep will read it: all digests are in it. */
  readonly manifest: Manifest;
  readonly provision: Provision;
  /** Trees that may come back changed. */
  readonly writable: readonly WritableTree[];
}

/**
 * @throws DonjonError `workload/not-found`, `workload/limit`, `manifest/digest` when the manifest pins
 *   something else, `usage` for a secret without a value, and those of `loadTree`
 */
export async function prepareRun(
  target: Target,
  flags: AppliedFlags,
  progress: Progress,
): Promise<Prepared> {
  const workload = readModuleFile(target.module);
  const draft = flags.manifest;
  const sha256 = hashSha256(workload);
  checkDigest("the workload", target.module, draft.workload.sha256, sha256);
  const mounts: Manifest["mounts"][number][] = [];
  const trees: WritableTree[] = [];
  for (const mount of draft.mounts) {
    if (mount.kind === "memory") {
      mounts.push(mount);
      continue;
    }
    const tree = await loadMount(mount, target, flags, progress);
    trees.push({ guest: mount.guest, tree });
    mounts.push({ ...mount, sha256: tree.sha256 });
  }
  const manifest = { ...draft, workload: { ...draft.workload, sha256 }, mounts };
  const isWritable = (guest: string) =>
    mounts.some((mount) => mount.guest === guest && mount.kind === "packed" && mount.writable);
  const writable = trees.filter(({ guest }) => isWritable(guest));
  refuseShared(writable);
  return {
    manifest,
    provision: {
      manifest: chooseBytes(target, flags, manifest),
      workload,
      secrets: new Map(draft.secrets.map(({ name }) => [name, readSecret(name, flags.secrets)])),
      trees: trees.map(({ guest, tree }) => ({ guest, bytes: tree.bytes })),
    },
    writable,
  };
}

/** What two mounts changed in one directory could not both be written back. */
function refuseShared(writable: readonly WritableTree[]): void {
  const known = new Map<string, string>();
  for (const { guest, tree } of writable) {
    const { dev, ino } = statSync(tree.root);
    const other = known.get(`${dev}:${ino}`);
    if (other !== undefined) {
      throw new DonjonError(
        "usage",
        `'${tree.root}' is granted read-write twice, as '${other}' and as '${guest}'; grant it once, or one of the two without rw`,
      );
    }
    known.set(`${dev}:${ino}`, guest);
  }
}

/** A file that says everything is delivered as it is; its digest is then the one its author knows. */
function chooseBytes(target: Target, flags: AppliedFlags, manifest: Manifest): Uint8Array {
  const isComplete = encodeManifest(manifest) === encodeManifest(flags.manifest);
  if (target.source !== null && !flags.changed && isComplete) return target.source;
  return new TextEncoder().encode(encodeManifest(manifest));
}

function readModuleFile(path: string): Uint8Array<ArrayBuffer> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) {
    throw new DonjonError(
      "workload/not-found",
      `there is no file '${path}', which the manifest names as the program; build it, or change the manifest`,
    );
  }
  if (stat.isFile() && stat.size > MAX_WORKLOAD_BYTES) {
    throw new DonjonError(
      "workload/limit",
      `'${path}' has ${formatBytes(stat.size)}, and a module may have at most ${formatBytes(MAX_WORKLOAD_BYTES)}`,
    );
  }
  return readInput(path);
}

async function loadMount(
  mount: PackedMount,
  target: Target,
  flags: AppliedFlags,
  progress: Progress,
): Promise<LoadedTree> {
  const given = flags.directories.get(mount.guest);
  if (given === undefined && mount.host === null) {
    throw new DonjonError(
      "usage",
      `the mount '${mount.guest}' names no directory; give one: --dir DIRECTORY:${mount.guest}${mount.writable ? ":rw" : ""}`,
    );
  }
  const host = given ?? join(target.directory, mount.host!);
  if (mount.writable) requireWritable(host);
  progress.begin(`packing ${host}`);
  const tree = await loadTree(host, (done, total) => progress.update(done, total));
  progress.end();
  checkDigest(`the tree for '${mount.guest}'`, host, mount.sha256, tree.sha256);
  return tree;
}

/** Before the run: afterwards what the program changed would be lost. */
function requireWritable(host: string): void {
  try {
    accessSync(host, constants.W_OK);
  } catch (cause) {
    // What is not there is told where it is read.
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return;
    const why = explainSystemError(cause);
    throw new DonjonError(
      "files/write",
      `'${host}' is granted read-write, and changes could not be written back: ${why}; grant it without rw, or make it writable`,
      { cause },
    );
  }
}

function checkDigest(what: string, path: string, wanted: string | null, found: string): void {
  if (wanted === null || wanted === found) return;
  throw new DonjonError(
    "manifest/digest",
    `${what} ('${path}') has the SHA-256 ${found}, and the manifest wants ${wanted}; build the one it pins, or update the manifest`,
    { details: { path, found, wanted } },
  );
}

function readSecret(name: string, flags: readonly SecretFlag[]): Uint8Array {
  const flag = flags.find((given) => given.name === name);
  if (flag === undefined) {
    throw new DonjonError(
      "usage",
      `the secret '${name}' has no value; give one: --secret ${name}=@FILE, or --secret ${name}=env with the variable ${name} set`,
    );
  }
  const value = flag.file === null ? readVariable(name) : readSecretFile(name, flag.file);
  if (value.length > MAX_SECRET_BYTES) {
    throw new DonjonError(
      "files/limit",
      `the secret '${name}' has ${value.length} bytes, and at most ${MAX_SECRET_BYTES} are allowed`,
    );
  }
  return value;
}

function readVariable(name: string): Uint8Array {
  const value = process.env[name];
  if (value === undefined) {
    throw new DonjonError(
      "usage",
      `the secret '${name}' is to come from the environment, and the variable ${name} is not set`,
    );
  }
  return new TextEncoder().encode(value);
}

function readSecretFile(name: string, file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new DonjonError(
      "files/read",
      `the secret '${name}' cannot be read from '${file}': ${explainSystemError(cause)}`,
      { cause },
    );
  }
}
