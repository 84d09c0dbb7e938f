/** Reading a directory of the owner's into a packed tree. */
import {
  type BigIntStats,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
} from "node:fs";
import { join } from "node:path";
import { MAX_TREE_BYTES } from "@donjon/protocol/limits";
import { planTree, type TreePlan } from "@donjon/wasi/files/pack";
import {
  alignTree,
  MAX_TREE_DEPTH,
  MAX_TREE_ENTRIES,
  type TreeEntry,
  type TreeFile,
} from "@donjon/wasi/files/packed-tree";
import { compareUtf8 } from "@donjon/wasi/files/utf8";
import { fail, failWith, isReserved, lookAt } from "./host-path.ts";
import { createMark, type TreeMarks } from "./mark.ts";
import { recoverTree } from "./recover.ts";

export interface HostTree {
  readonly root: string;
  readonly plan: TreePlan;
  /** For the conflict check when changes come back. */
  readonly marks: TreeMarks;
}

export interface LoadedTree extends HostTree {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Lower-case hex; what a manifest names. */
  readonly sha256: string;
}

/**
 * Lists the directory `root`; contents are read later. Names, kinds, executable bits and contents
 * count, times do not: the same files give the same digest on every machine. A write-back that was
 * cut off is finished or undone first.
 *
 * @throws DonjonError `files/read` (not readable, a special file, a name that is not UTF-8),
 *   `files/limit`, `files/conflict` (another run writes there now)
 */
export function scanTree(root: string): HostTree {
  recoverTree(root);
  const stat = lookAt(join(root, "."));
  if (!stat?.isDirectory()) throw fail("files/read", `'${root}' is no directory`);
  const scan = new Scan(root);
  scan.run();
  const plan = planTree(scan.entries, { times: false, changes: false });
  if (plan.length > MAX_TREE_BYTES) {
    throw fail(
      "files/limit",
      `'${root}' takes ${plan.length} bytes, and at most ${MAX_TREE_BYTES} are allowed`,
    );
  }
  return { root, plan, marks: scan.marks };
}

/**
 * Reads the packed tree: each call fills `to` as far as there is something, and answers how many bytes that were, 0 at the end.
 * Throws `files/read` when a file changed since the scan.
 */
export function openHostTree(tree: HostTree): (to: Uint8Array) => number {
  let room: Uint8Array = new Uint8Array(0);
  const steps = readParts(tree, () => room);
  return (to) => {
    room = to;
    while (room.length > 0) {
      const step = steps.next();
      if (step.done) break;
      room = room.subarray(step.value);
    }
    return to.length - room.length;
  };
}

/** The packed tree and its digest, read once. */
export function loadTree(root: string): LoadedTree {
  const tree = scanTree(root);
  const bytes = new Uint8Array(tree.plan.length);
  const read = openHostTree(tree);
  read(bytes);
  // That the last file was still the same shows only behind it.
  read(new Uint8Array(1));
  // Loaded only now: it takes milliseconds, and most runs have no tree.
  return { ...tree, bytes, sha256: process.getBuiltinModule("node:crypto").hash("sha256", bytes) };
}

class Scan {
  readonly entries: TreeEntry[] = [];
  readonly marks = new Map<string, string>();
  readonly #root: string;
  /** Files with more names than one, by inode. */
  readonly #named = new Map<string, { stat: BigIntStats; paths: string[] }>();

  constructor(root: string) {
    this.#root = root;
  }

  run(): void {
    const waiting = [""];
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      for (const name of listNames(join(this.#root, at))) {
        const path = at === "" ? name : `${at}/${name}`;
        if (isReserved(path)) continue;
        if (this.#add(path)) waiting.push(path);
      }
      if (this.marks.size > MAX_TREE_ENTRIES || at.split("/").length > MAX_TREE_DEPTH) {
        throw fail(
          "files/limit",
          `'${this.#root}' has too many or too deep entries to send (at most ${MAX_TREE_ENTRIES}, ${MAX_TREE_DEPTH} deep)`,
        );
      }
    }
    for (const { stat, paths } of this.#named.values()) {
      const [first, ...others] = paths.sort(compareUtf8);
      this.entries.push(createFileEntry(first!, stat));
      for (const path of others) this.entries.push({ kind: "link", path, to: first! });
    }
  }

  /** Whether `path` is a directory to go into. */
  #add(path: string): boolean {
    const host = join(this.#root, path);
    const stat = lookAt(host);
    if (stat === null) throw fail("files/read", `'${host}' went away while it was read; try again`);
    this.marks.set(path, createMark(host, stat));
    if (stat.isDirectory()) {
      this.entries.push({ kind: "directory", path, modified: 0n });
      return true;
    }
    if (stat.isSymbolicLink()) {
      this.entries.push({ kind: "symlink", path, target: readlinkSync(host), modified: 0n });
    } else if (!stat.isFile()) {
      throw fail(
        "files/read",
        `'${host}' is a device, pipe or socket and cannot be sent; move it out`,
      );
    } else if (stat.nlink > 1n) {
      const key = `${stat.dev}:${stat.ino}`;
      const named = this.#named.get(key) ?? { stat, paths: [] };
      named.paths.push(path);
      this.#named.set(key, named);
    } else {
      this.entries.push(createFileEntry(path, stat));
    }
    return false;
  }
}

function createFileEntry(path: string, stat: BigIntStats): TreeFile {
  return {
    kind: "file",
    path,
    size: Number(stat.size),
    executable: (stat.mode & 0o111n) !== 0n,
    modified: 0n,
  };
}

function listNames(directory: string): string[] {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let names: Buffer[];
  try {
    names = readdirSync(directory, { encoding: "buffer" });
  } catch (cause) {
    throw failWith("files/read", `reading the directory '${directory}'`, cause);
  }
  return names.map((name) => {
    try {
      return decoder.decode(name);
    } catch (cause) {
      throw fail(
        "files/read",
        `'${directory}' has a name that is not UTF-8: ${JSON.stringify(name.toString("latin1"))}`,
        cause,
      );
    }
  });
}

/** Without links; the root itself where it is gone, which its files will tell. */
function findPlace(root: string): string {
  try {
    return realpathSync.native(root);
  } catch {
    return root;
  }
}

/**
 * Whether an open file lies where its path says. A directory on the way that somebody else makes a link while the tree is
 * read could otherwise bring files of this user's along that the tree never had.
 */
function isThere(fd: number, path: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`) === path;
  } catch {
    // Without /proc nobody can say.
    return !existsSync("/proc/self/fd");
  }
}

/** Writes part after part to where `room` says, and tells how many bytes it was each time. */
function* readParts(tree: HostTree, room: () => Uint8Array): Generator<number, void, undefined> {
  const { head, entries } = tree.plan;
  yield* copyPart(head, room);
  const place = findPlace(tree.root);
  for (const file of entries) {
    if (file.kind !== "file") continue;
    yield* readContent(tree, place, file, room);
    yield* copyPart(new Uint8Array(alignTree(file.size) - file.size), room);
  }
}

function* copyPart(part: Uint8Array, room: () => Uint8Array): Generator<number, void, undefined> {
  for (let rest = part; rest.length > 0; ) {
    const to = room();
    const count = Math.min(rest.length, to.length);
    to.set(rest.subarray(0, count));
    rest = rest.subarray(count);
    yield count;
  }
}

/** The file must be the one that was scanned: not followed, not swapped, not changed. */
function* readContent(
  tree: HostTree,
  place: string,
  file: TreeFile,
  room: () => Uint8Array,
): Generator<number, void, undefined> {
  const host = join(tree.root, file.path);
  let fd: number;
  try {
    fd = openSync(host, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    throw failWith("files/read", `reading '${host}'`, cause);
  }
  try {
    const isSame = () =>
      createMark(host, fstatSync(fd, { bigint: true })) === tree.marks.get(file.path);
    if (!isThere(fd, join(place, file.path))) {
      throw fail("files/read", `'${host}' is behind a link by now; leave it alone and try again`);
    }
    let left = file.size;
    for (let count = isSame() ? left : 0; left > 0 && count > 0; ) {
      const to = room();
      count = readSync(fd, to, 0, Math.min(left, to.length), null);
      left -= count;
      if (count > 0) yield count;
    }
    if (left > 0 || !isSame())
      throw fail("files/read", `'${host}' changed while it was read; leave it alone and try again`);
  } catch (cause) {
    throw failWith("files/read", `reading '${host}'`, cause);
  } finally {
    closeSync(fd);
  }
}
