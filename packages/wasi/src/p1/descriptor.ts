/** What a descriptor number of a guest stands for. */
import type { DirectoryNode, FileNode } from "../capability/files.ts";
import type { InputStream, Listener, OutputStream } from "../capability/stream.ts";
import {
  PREOPEN_BASE,
  PREOPEN_INHERITING,
  RIGHTS_OF_LISTENER,
  rightsOfDirectory,
  rightsOfFile,
  rightsOfStream,
} from "./rights.ts";
import { Filetype, type FiletypeValue } from "./witx.ts";

interface Common {
  readonly filetype: FiletypeValue;
  /** `fdflags`: changed by `fd_fdstat_set_flags`. */
  flags: number;
  readonly rightsBase: number;
  readonly rightsInheriting: number;
}

export interface FileDescriptor extends Common {
  readonly kind: "file";
  readonly node: FileNode;
  readonly treeWritable: boolean;
  readonly readable: boolean;
  readonly writable: boolean;
  /** Of the next read or write: a safe integer. */
  position: number;
}

export interface DirectoryDescriptor extends Common {
  readonly kind: "directory";
  readonly node: DirectoryNode;
  /** Whether the preopen it was reached through may be changed; inherited by what it opens. */
  readonly treeWritable: boolean;
  /** The guest's name of a preopen, in UTF-8; `null` for a directory that the guest opened. */
  readonly preopen: Uint8Array | null;
}

/** Stdio, a connection or nothing (`null` device: `input` at its end, `output` takes everything). */
export interface StreamDescriptor extends Common {
  readonly kind: "stream";
  readonly socket: boolean;
  /** `null`: not open to read (any more). */
  input: InputStream | null;
  output: OutputStream | null;
}

export interface ListenerDescriptor extends Common {
  readonly kind: "listener";
  readonly listener: Listener;
}

export type Descriptor =
  | FileDescriptor
  | DirectoryDescriptor
  | StreamDescriptor
  | ListenerDescriptor;

export function describeFile(
  node: FileNode,
  readable: boolean,
  writable: boolean,
  treeWritable: boolean,
  flags: number,
): FileDescriptor {
  const rights = rightsOfFile(readable, writable);
  return {
    kind: "file",
    filetype: Filetype.regularFile,
    flags,
    rightsBase: rights,
    rightsInheriting: rights,
    node,
    treeWritable,
    readable,
    writable,
    position: 0,
  };
}

export function describeDirectory(
  node: DirectoryNode,
  treeWritable: boolean,
  preopen: Uint8Array | null,
): DirectoryDescriptor {
  return {
    kind: "directory",
    filetype: Filetype.directory,
    flags: 0,
    rightsBase: preopen === null ? rightsOfDirectory() : PREOPEN_BASE,
    rightsInheriting: preopen === null ? rightsOfDirectory() : PREOPEN_INHERITING,
    node,
    treeWritable,
    preopen,
  };
}

export function describeStream(
  filetype: FiletypeValue,
  input: InputStream | null,
  output: OutputStream | null,
  flags = 0,
): StreamDescriptor {
  const socket = filetype === Filetype.socketStream;
  const rights = rightsOfStream(input !== null, output !== null, socket);
  return {
    kind: "stream",
    filetype,
    flags,
    rightsBase: rights,
    rightsInheriting: rights,
    socket,
    input,
    output,
  };
}

export function describeListener(listener: Listener): ListenerDescriptor {
  return {
    kind: "listener",
    filetype: Filetype.socketStream,
    flags: 0,
    rightsBase: RIGHTS_OF_LISTENER,
    rightsInheriting: RIGHTS_OF_LISTENER,
    listener,
  };
}

/** Gives up what a descriptor holds. */
export function closeDescriptor(descriptor: Descriptor): void {
  switch (descriptor.kind) {
    case "file":
    case "directory":
      descriptor.node.fs.release(descriptor.node);
      break;
    case "stream":
      descriptor.input?.close();
      descriptor.output?.close();
      break;
    case "listener":
      descriptor.listener.close();
  }
}
