/**
 * A model of the kernel's configfs-tsm over `node:fs`, for one test: what a directory, `inblob`, `outblob` and `generation`
 * do (Documentation/ABI/testing/configfs-tsm-report; drivers/virt/coco/tsm.c). Everything else goes to the real file system.
 */
import type { FileHandle } from "node:fs/promises";
import type { TestContext } from "node:test";

const fs = process.getBuiltinModule("node:fs");

interface Entry {
  inblob: Uint8Array | null;
  generation: number;
}

export interface ModelOptions {
  readonly provider: string;
  /** Errors of the next calls that read `outblob`, in order; `null`: none. */
  readonly failures?: (string | null)[];
  /** Called after `inblob` was taken: what others do to the entry meanwhile. */
  readonly meanwhile?: (entry: Entry) => void;
  /** The kernel dislikes what was written, and tells nobody. */
  readonly dropsWrites?: boolean;
  readonly auxiliary?: Uint8Array | null;
  readonly mkdir?: string | null;
}

export interface Model {
  readonly directory: string;
  readonly entries: Map<string, Entry>;
  /** Entries ever made, without the probe. */
  readonly made: string[];
}

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: model`), { code });
}

export function modelConfigfs(context: TestContext, options: ModelOptions): Model {
  const directory = "/model/tsm/report";
  const model: Model = { directory, entries: new Map(), made: [] };
  const failures = [...(options.failures ?? [])];
  const split = (path: string) => {
    const at = path.lastIndexOf("/");
    return { entry: model.entries.get(path.slice(0, at)), file: path.slice(at + 1) };
  };
  const mkdir = (path: string) => {
    if (options.mkdir) throw failure(options.mkdir);
    if (model.entries.has(path)) throw failure("EEXIST");
    model.entries.set(path, { inblob: null, generation: 0 });
    if (!path.endsWith("probe")) model.made.push(path);
  };
  const rmdir = (path: string) => {
    if (!model.entries.delete(path)) throw failure("ENOENT");
  };
  const content = (entry: Entry, file: string): Uint8Array => {
    if (file === "provider") return Buffer.from(`${options.provider}\n`);
    if (file === "generation") return Buffer.from(`${entry.generation}\n`);
    if (entry.inblob === null) throw failure("EINVAL");
    if (file === "auxblob") {
      if (options.auxiliary === undefined || options.auxiliary === null) throw failure("ENOENT");
      return options.auxiliary;
    }
    const next = failures.shift();
    if (next) throw failure(next);
    return Buffer.concat([Buffer.from("report of "), entry.inblob]);
  };
  const open = async (path: string): Promise<FileHandle> => {
    const { entry, file } = split(path);
    if (entry === undefined) throw failure("ENOENT");
    if (file === "auxblob" && options.auxiliary == null) throw failure("ENOENT");
    let bytes: Uint8Array | null = null;
    let written: Uint8Array | null = null;
    const handle = {
      async read(into: Uint8Array, at: number, length: number) {
        bytes ??= content(entry, file);
        const piece = bytes.subarray(0, Math.min(length, 1000));
        into.set(piece, at);
        bytes = bytes.subarray(piece.length);
        return { bytesRead: piece.length };
      },
      async write(from: Uint8Array) {
        written = from.slice();
      },
      // A binary attribute is taken when the file is closed, and errors of that are lost.
      async close() {
        if (written === null || options.dropsWrites) return;
        entry.inblob = written;
        entry.generation += 1;
        options.meanwhile?.(entry);
      },
    };
    return handle as unknown as FileHandle;
  };
  context.mock.method(fs, "mkdirSync", mkdir);
  context.mock.method(fs, "rmdirSync", rmdir);
  context.mock.method(fs, "readFileSync", (path: string) => {
    const { entry, file } = split(path);
    if (entry === undefined) throw failure("ENOENT");
    return Buffer.from(content(entry, file)).toString();
  });
  context.mock.method(fs.promises, "mkdir", async (path: string) => mkdir(path));
  context.mock.method(fs.promises, "rmdir", async (path: string) => rmdir(path));
  context.mock.method(fs.promises, "open", open);
  return model;
}
