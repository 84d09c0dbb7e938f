/** Everything that goes up in a session: the module, trees, the manifest's final bytes and secrets. */
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { LazyBytes, Provision } from "@donjon/client/session";
import { type HostTree, openHostTree, scanTree } from "@donjon/client/trees/read-tree";
import { DonjonError } from "@donjon/core/errors";
import { explainSystemError } from "@donjon/core/system-error";
import { MAX_SECRET_BYTES } from "@donjon/protocol/limits";
import { encodeManifest } from "@donjon/protocol/manifest/encode";
import type { Manifest, PackedMount } from "@donjon/protocol/manifest/manifest";
import type { Progress } from "../output/progress.ts";
import { type Content, hashWhileRead, openModule, readAll } from "./content.ts";
import type { AppliedFlags, SecretFlag } from "./flags.ts";
import type { Target } from "./target.ts";

export interface WritableTree {
  readonly guest: string;
  readonly tree: HostTree;
}

/** Large parts are read, hashed and compared with what the manifest pins while they are sent; the manifest follows them. */
export interface LazilyPrepared {
  /** As the Keep will read it, but for digests of what was not read yet. */
  readonly manifest: Manifest;
  readonly provision: Provision;
  /** Trees that may come back changed. */
  readonly writable: readonly WritableTree[];
}

export interface Prepared extends LazilyPrepared {
  readonly provision: Provision & { readonly manifest: Uint8Array };
}

/**
 * Reads everything: what is wrong shows before anything is sent.
 * @throws DonjonError as `prepareLazily`, and as the reading of its parts
 */
export function prepareRun(target: Target, flags: AppliedFlags, progress: Progress): Prepared {
  const { fill, roots, lazily } = openParts(target, flags);
  const { provision } = lazily;
  const workload = readAll(provision.workload);
  const trees = provision.trees.map(({ guest, bytes }, index) => {
    progress.begin(`packing ${roots[index]}`);
    const whole = readAll(bytes, (done, total) => progress.update(done, total));
    progress.end();
    return { guest, bytes: whole };
  });
  const manifest = readAll(provision.manifest);
  return { ...lazily, manifest: fill(), provision: { ...provision, workload, trees, manifest } };
}

/**
 * For a Keep that is this command's own: what is wrong with the bytes of the large parts shows when they are sent.
 * @throws DonjonError `workload/not-found`, `workload/limit`, `manifest/digest` when the manifest pins
 *   something else, `usage` for a secret without a value, and those of `scanTree`
 */
export function prepareLazily(target: Target, flags: AppliedFlags): LazilyPrepared {
  return openParts(target, flags).lazily;
}

interface Parts {
  /** The manifest with the digests that are known by now. */
  readonly fill: () => Manifest;
  /** Directories of the trees. */
  readonly roots: readonly string[];
  readonly lazily: LazilyPrepared;
}

function openParts(target: Target, flags: AppliedFlags): Parts {
  const draft = flags.manifest;
  const workload = openModule(target.module, (found) =>
    checkDigest("the workload", target.module, draft.workload.sha256, found),
  );
  const trees = draft.mounts
    .filter((mount) => mount.kind === "packed")
    .map((mount) => ({ mount, ...openTree(mount, target, flags) }));
  const writable = trees
    .filter(({ mount }) => mount.writable)
    .map(({ mount, tree }) => ({ guest: mount.guest, tree }));
  refuseShared(writable);
  const fill = (): Manifest => ({
    ...draft,
    workload: { ...draft.workload, sha256: draft.workload.sha256 ?? workload.sha256() },
    mounts: draft.mounts.map((mount) => {
      const read = trees.find((tree) => tree.mount === mount);
      return read === undefined
        ? mount
        : { ...read.mount, sha256: read.mount.sha256 ?? read.content.sha256() };
    }),
  });
  const choose = () => chooseBytes(target, flags, fill());
  const contents = [workload, ...trees.map(({ content }) => content)];
  const provision = {
    manifest: contents.every(isRead) ? choose() : chooseLater(choose),
    workload: workload.bytes,
    secrets: new Map(draft.secrets.map(({ name }) => [name, readSecret(name, flags.secrets)])),
    trees: trees.map(({ mount, content }) => ({ guest: mount.guest, bytes: content.bytes })),
  };
  const roots = trees.map(({ tree }) => tree.root);
  return { fill, roots, lazily: { manifest: fill(), provision, writable } };
}

function isRead({ bytes }: Content): boolean {
  return bytes instanceof Uint8Array;
}

/** Digests that are missing are as long as those that will stand in their place. */
function chooseLater(choose: () => Uint8Array): LazyBytes {
  let rest: Uint8Array | null = null;
  return {
    length: choose().length,
    read(to) {
      rest ??= choose();
      const piece = rest.subarray(0, to.length);
      to.set(piece);
      rest = rest.subarray(piece.length);
      return piece.length;
    },
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

function openTree(
  mount: PackedMount,
  target: Target,
  flags: AppliedFlags,
): { readonly tree: HostTree; readonly content: Content } {
  const given = flags.directories.get(mount.guest);
  if (given === undefined && mount.host === null) {
    throw new DonjonError(
      "usage",
      `the mount '${mount.guest}' names no directory; give one: --dir DIRECTORY:${mount.guest}${mount.writable ? ":rw" : ""}`,
    );
  }
  const host = given ?? join(target.directory, mount.host!);
  if (mount.writable) requireWritable(host);
  const tree = scanTree(host);
  const packed = { length: tree.plan.length, read: openHostTree(tree) };
  const content = hashWhileRead(packed, (found) =>
    checkDigest(`the tree for '${mount.guest}'`, host, mount.sha256, found),
  );
  return { tree, content };
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
