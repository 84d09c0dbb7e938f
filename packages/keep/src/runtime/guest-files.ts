/** The files of a workload: scratch directories, packed trees, secrets. */
import { DonjonError } from "@donjon/core/errors";
import type { Clock } from "@donjon/wasi/capability/clock";
import type { DirectoryNode } from "@donjon/wasi/capability/files";
import { collectChanges } from "@donjon/wasi/files/changes";
import {
  createMemoryFiles,
  type MemoryFiles,
  type MemoryFilesOptions,
} from "@donjon/wasi/files/memory-files";
import { packTree } from "@donjon/wasi/files/pack";
import type { PackedTree } from "@donjon/wasi/files/packed-tree";
import { parseTree } from "@donjon/wasi/files/parse-tree";
import { Space } from "@donjon/wasi/files/space";
import { unpackTree } from "@donjon/wasi/files/unpack";
import type { Preopen } from "@donjon/wasi/p1/preview1";
import type { RunOrder } from "./messages.ts";
import type { MountSpec, WorkloadResult } from "./workload.ts";

export interface GuestFiles {
  readonly preopens: readonly Preopen[];
  /** What changed in the writable trees. Throws `DonjonError` `files/limit`. */
  collect(): WorkloadResult["changes"];
}

type FilesOrder = Pick<RunOrder, "mounts" | "limits">;

/**
 * Makes the file systems. All share the limit of the workload, and each has a device number of its own.
 * Throws `DonjonError` `files/limit`, `bytes/*`.
 */
export function createGuestFiles(order: FilesOrder, clock: Clock): GuestFiles {
  const space = new Space(order.limits.filesBytes);
  const writable: WritableTree[] = [];
  const preopens = order.mounts.map((mount, index): Preopen => {
    const device = BigInt(index + 1);
    const options = { limitBytes: space.limit, space, clock, device };
    const files = createFiles(mount, options, writable);
    const isWritable = mount.kind === "memory" || (mount.kind === "packed" && mount.writable);
    return { guest: mount.guest, directory: files.root, writable: isWritable };
  });
  const collect = () =>
    writable.map(({ guest, files, tree }) => {
      const { entries, form, source } = collectChanges(files, tree);
      return { guest, bytes: packTree(entries, form, source) };
    });
  return { preopens, collect };
}

interface WritableTree {
  readonly guest: string;
  readonly files: MemoryFiles;
  readonly tree: PackedTree;
}

/** Makes the files of one mount; those of which changes go back are added to `writable`. */
function createFiles(
  mount: MountSpec,
  options: MemoryFilesOptions,
  writable: WritableTree[],
): MemoryFiles {
  switch (mount.kind) {
    case "memory":
      return createMemoryFiles(options);
    case "packed": {
      const tree = parseTree(mount.bytes, { maxBytes: mount.bytes.length });
      const files = unpackTree(tree, { ...options, readOnly: !mount.writable });
      if (mount.writable) writable.push({ guest: mount.guest, files, tree });
      return files;
    }
    case "secrets": {
      const files = createMemoryFiles(options);
      for (const [name, content] of mount.files) writeFile(files, name, content);
      files.readOnly = true;
      return files;
    }
  }
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
      `the secret '${name}' of ${content.length} bytes does not fit as a file; raise 'files' in the manifest's limits or shorten its name`,
    );
  }
}
