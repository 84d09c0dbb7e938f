/**
 * Rights of preview 1. They are reported as wasmtime reports them and never enforced: what a
 * descriptor can do follows from how it was opened (`docs/decisions/0010-preview1-answers.md`).
 * All 30 rights fit in the low half of the u64, so they are plain numbers here.
 * Source: WASI `typenames.witx`, flags `rights`; wasmtime `crates/wasi/src/p1.rs`, `fd_fdstat_get`.
 */
const NAMES = [
  "fd_datasync",
  "fd_read",
  "fd_seek",
  "fd_fdstat_set_flags",
  "fd_sync",
  "fd_tell",
  "fd_write",
  "fd_advise",
  "fd_allocate",
  "path_create_directory",
  "path_create_file",
  "path_link_source",
  "path_link_target",
  "path_open",
  "fd_readdir",
  "path_readlink",
  "path_rename_source",
  "path_rename_target",
  "path_filestat_get",
  "path_filestat_set_size",
  "path_filestat_set_times",
  "fd_filestat_get",
  "fd_filestat_set_size",
  "fd_filestat_set_times",
  "path_symlink",
  "path_remove_directory",
  "path_unlink_file",
  "poll_fd_readwrite",
  "sock_shutdown",
  "sock_accept",
] as const;

export type Right = (typeof NAMES)[number];

/** The bits of some rights. */
export function rights(...names: readonly Right[]): number {
  return names.reduce((bits, name) => bits | (1 << NAMES.indexOf(name)), 0);
}

export const RIGHTS_ALL = rights(...NAMES);
export const RIGHT_FD_READ = rights("fd_read");
export const RIGHT_FD_WRITE = rights("fd_write");

/** What a preopened directory reports; programs ask for subsets of it and check that they get them. */
export const PREOPEN_BASE = rights(
  "path_create_directory",
  "path_create_file",
  "path_link_source",
  "path_link_target",
  "path_open",
  "fd_readdir",
  "path_readlink",
  "path_rename_source",
  "path_rename_target",
  "path_symlink",
  "path_remove_directory",
  "path_unlink_file",
  "path_filestat_get",
  "path_filestat_set_times",
  "fd_filestat_get",
  "fd_filestat_set_times",
);
export const PREOPEN_INHERITING =
  PREOPEN_BASE |
  rights(
    "fd_datasync",
    "fd_read",
    "fd_seek",
    "fd_fdstat_set_flags",
    "fd_sync",
    "fd_tell",
    "fd_write",
    "fd_advise",
    "fd_allocate",
    "fd_filestat_get",
    "fd_filestat_set_size",
    "fd_filestat_set_times",
    "poll_fd_readwrite",
  );

const NOT_OF_DIRECTORIES = rights("fd_seek", "fd_filestat_set_size", "path_filestat_set_size");
const OF_READERS = rights("fd_read", "fd_readdir");

/** Rights of a file that was opened to read, to write or both. */
export function rightsOfFile(readable: boolean, writable: boolean): number {
  return RIGHTS_ALL & ~(readable ? 0 : OF_READERS) & ~(writable ? 0 : RIGHT_FD_WRITE);
}

/** Rights of a directory that was opened by path. */
export function rightsOfDirectory(): number {
  return RIGHTS_ALL & ~NOT_OF_DIRECTORIES & ~RIGHT_FD_WRITE;
}

const SOCKET = rights(
  "poll_fd_readwrite",
  "sock_shutdown",
  "fd_fdstat_set_flags",
  "fd_filestat_get",
);

export function rightsOfStream(input: boolean, output: boolean, socket: boolean): number {
  return (input ? RIGHT_FD_READ : 0) | (output ? RIGHT_FD_WRITE : 0) | (socket ? SOCKET : 0);
}

export const RIGHTS_OF_LISTENER = SOCKET | rights("sock_accept", "fd_read");
