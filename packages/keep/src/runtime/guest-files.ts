/** The files of a workload: scratch directories, packed trees, secrets. */
import { DonjonError } from "@donjon/core/errors";
import type { Clock } from "@donjon/wasi/capability/clock";
import type { DirectoryNode } from "@donjon/wasi/capability/files";
import { collectChanges } from "@donjon/wasi/files/changes";
import { createMemoryFiles, type MemoryFiles } from "@donjon/wasi/files/memory-files";
import { packTree } from "@donjon/wasi/files/pack";
import type { PackedTree } from "@donjon/wasi/files/packed-tree";
import { parseTree } from "@donjon/wasi/files/parse-tree";
import { Space } from "@donjon/wasi/files/space";
import { unpackTree } from "@donjon/wasi/files/unpack";
import type { Preopen } from "@donjon/wasi/p1/preview1";
import type { RunOrder } from "./messages.ts";
import type { WorkloadResult } from "./workload.ts";

export interface GuestFiles {
  readonly preopens: readonly Preopen[];
  /** What changed in the writable trees. Throws `DonjonError` `files/limit`. */
  collect(): WorkloadResult["changes"];
}

type FilesOrder = Pick<RunOrder, "memoryMounts" | "trees" | "secretFiles" | "limits">;

/**
 * Makes the file systems. All share the limit of the workload, and each has a device number of its own.
 * Throws `DonjonError` `files/limit`, `bytes/*`.
 */
export function createGuestFiles(order: FilesOrder, clock: Clock): GuestFiles {
  const space = new Space(order.limits.filesBytes);
  const preopens: Preopen[] = [];
  const writable: { guest: string; files: MemoryFiles; tree: PackedTree }[] = [];
  let device = 0n;
  const options = () => ({ limitBytes: space.limit, space, clock, device: ++device });
  for (const { guest, writable: isWritable, bytes } of order.trees) {
    const tree = parseTree(bytes, { maxBytes: bytes.length });
    const files = unpackTree(tree, { ...options(), readOnly: !isWritable });
    if (isWritable) writable.push({ guest, files, tree });
    preopens.push({ guest, directory: files.root, writable: isWritable });
  }
  for (const guest of order.memoryMounts) {
    const files = createMemoryFiles(options());
    preopens.push({ guest, directory: files.root, writable: true });
  }
  for (const [guest, secrets] of groupByDirectory(order.secretFiles)) {
    const files = createMemoryFiles(options());
    for (const [name, content] of secrets) writeFile(files, name, content);
    files.readOnly = true;
    preopens.push({ guest, directory: files.root, writable: false });
  }
  const collect = () =>
    writable.map(({ guest, files, tree }) => {
      const { entries, form, source } = collectChanges(files, tree);
      return { guest, bytes: packTree(entries, form, source) };
    });
  return { preopens, collect };
}

function groupByDirectory(
  files: ReadonlyMap<string, Uint8Array>,
): Map<string, [name: string, content: Uint8Array][]> {
  const groups = new Map<string, [string, Uint8Array][]>();
  for (const [path, content] of files) {
    const slash = path.lastIndexOf("/");
    const directory = slash <= 0 ? "/" : path.slice(0, slash);
    const group = groups.get(directory) ?? [];
    group.push([path.slice(slash + 1), content]);
    groups.set(directory, group);
  }
  return groups;
}

const CREATE = {
  follow: false,
  create: true,
  exclusive: true,
  truncate: false,
  directory: false,
  write: true,
} as const;

function writeFile(files: MemoryFiles, name: string, content: Uint8Array): void {
  const root: DirectoryNode = files.root;
  const node = files.open(root, name, CREATE);
  const written =
    typeof node !== "number" && node.kind === "file"
      ? node.write(content, 0, content.length, 0)
      : node;
  if (written !== content.length) {
    throw new DonjonError(
      "files/limit",
      `The secret '${name}' of ${content.length} bytes does not fit as a file; raise 'files' in the manifest's limits or shorten its name`,
    );
  }
}
