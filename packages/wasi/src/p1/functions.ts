/**
 * The functions of preview 1: what the linker checks, what `donjon inspect` prints and what the tests
 * walk through. Source: WASI `wasi_snapshot_preview1.witx`.
 */
export const SNAPSHOT_MODULE = "wasi_snapshot_preview1";
export const UNSTABLE_MODULE = "wasi_unstable";

export interface FunctionEntry {
  /** Core parameters, one letter each: `i` is i32, `I` is i64. */
  readonly params: string;
  /** Core result: an errno, or none for the function that does not return. */
  readonly result: "i" | "";
  readonly witx: string;
  /** Whether a call may have to wait. */
  readonly waits: boolean;
}

const quick = (params: string, witx: string): FunctionEntry => ({
  params,
  result: "i",
  witx,
  waits: false,
});
const waiting = (params: string, witx: string): FunctionEntry => ({
  params,
  result: "i",
  witx,
  waits: true,
});

export const FUNCTIONS = {
  args_get: quick("ii", "(argv: pointer<pointer<u8>>, argv_buf: pointer<u8>) -> errno"),
  args_sizes_get: quick("ii", "() -> (size, size, errno)"),
  environ_get: quick("ii", "(environ: pointer<pointer<u8>>, environ_buf: pointer<u8>) -> errno"),
  environ_sizes_get: quick("ii", "() -> (size, size, errno)"),
  clock_res_get: quick("ii", "(id: clockid) -> (timestamp, errno)"),
  clock_time_get: quick("iIi", "(id: clockid, precision: timestamp) -> (timestamp, errno)"),
  fd_advise: quick("iIIi", "(fd, offset: filesize, len: filesize, advice) -> errno"),
  fd_allocate: quick("iII", "(fd, offset: filesize, len: filesize) -> errno"),
  fd_close: quick("i", "(fd) -> errno"),
  fd_datasync: quick("i", "(fd) -> errno"),
  fd_fdstat_get: quick("ii", "(fd) -> (fdstat, errno)"),
  fd_fdstat_set_flags: quick("ii", "(fd, flags: fdflags) -> errno"),
  fd_fdstat_set_rights: quick(
    "iII",
    "(fd, fs_rights_base: rights, fs_rights_inheriting: rights) -> errno",
  ),
  fd_filestat_get: quick("ii", "(fd) -> (filestat, errno)"),
  fd_filestat_set_size: quick("iI", "(fd, size: filesize) -> errno"),
  fd_filestat_set_times: quick(
    "iIIi",
    "(fd, atim: timestamp, mtim: timestamp, fst_flags: fstflags) -> errno",
  ),
  fd_pread: quick("iiiIi", "(fd, iovs: iovec_array, offset: filesize) -> (size, errno)"),
  fd_prestat_get: quick("ii", "(fd) -> (prestat, errno)"),
  fd_prestat_dir_name: quick("iii", "(fd, path: pointer<u8>, path_len: size) -> errno"),
  fd_pwrite: quick("iiiIi", "(fd, iovs: ciovec_array, offset: filesize) -> (size, errno)"),
  fd_read: waiting("iiii", "(fd, iovs: iovec_array) -> (size, errno)"),
  fd_readdir: quick(
    "iiiIi",
    "(fd, buf: pointer<u8>, buf_len: size, cookie: dircookie) -> (size, errno)",
  ),
  fd_renumber: quick("ii", "(fd, to: fd) -> errno"),
  fd_seek: quick("iIii", "(fd, offset: filedelta, whence) -> (filesize, errno)"),
  fd_sync: quick("i", "(fd) -> errno"),
  fd_tell: quick("ii", "(fd) -> (filesize, errno)"),
  fd_write: waiting("iiii", "(fd, iovs: ciovec_array) -> (size, errno)"),
  path_create_directory: quick("iii", "(fd, path: string) -> errno"),
  path_filestat_get: quick("iiiii", "(fd, flags: lookupflags, path: string) -> (filestat, errno)"),
  path_filestat_set_times: quick(
    "iiiiIIi",
    "(fd, flags: lookupflags, path: string, atim: timestamp, mtim: timestamp, fst_flags: fstflags) -> errno",
  ),
  path_link: quick(
    "iiiiiii",
    "(old_fd: fd, old_flags: lookupflags, old_path: string, new_fd: fd, new_path: string) -> errno",
  ),
  path_open: quick(
    "iiiiiIIii",
    "(fd, dirflags: lookupflags, path: string, oflags, fs_rights_base: rights, fs_rights_inheriting: rights, fdflags) -> (fd, errno)",
  ),
  path_readlink: quick(
    "iiiiii",
    "(fd, path: string, buf: pointer<u8>, buf_len: size) -> (size, errno)",
  ),
  path_remove_directory: quick("iii", "(fd, path: string) -> errno"),
  path_rename: quick("iiiiii", "(fd, old_path: string, new_fd: fd, new_path: string) -> errno"),
  path_symlink: quick("iiiii", "(old_path: string, fd, new_path: string) -> errno"),
  path_unlink_file: quick("iii", "(fd, path: string) -> errno"),
  poll_oneoff: waiting(
    "iiii",
    "(in: const_pointer<subscription>, out: pointer<event>, nsubscriptions: size) -> (size, errno)",
  ),
  proc_exit: { params: "i", result: "", witx: "(rval: exitcode)", waits: false },
  proc_raise: quick("i", "(sig: signal) -> errno"),
  sched_yield: quick("", "() -> errno"),
  random_get: quick("ii", "(buf: pointer<u8>, buf_len: size) -> errno"),
  sock_accept: waiting("iii", "(fd, flags: fdflags) -> (fd, errno)"),
  sock_recv: waiting(
    "iiiiii",
    "(fd, ri_data: iovec_array, ri_flags: riflags) -> (size, roflags, errno)",
  ),
  sock_send: waiting("iiiii", "(fd, si_data: ciovec_array, si_flags: siflags) -> (size, errno)"),
  sock_shutdown: quick("ii", "(fd, how: sdflags) -> errno"),
} as const satisfies Readonly<Record<string, FunctionEntry>>;

export type FunctionName = keyof typeof FUNCTIONS;

export const FUNCTION_NAMES = Object.keys(FUNCTIONS) as FunctionName[];

/** Functions that `wasi_unstable` does not have. */
export const NOT_IN_UNSTABLE: readonly FunctionName[] = ["sock_accept"];

/** Import of the threads proposal: `wasi.thread-spawn(start_arg: i32) -> i32`. */
export const THREADS_MODULE = "wasi";
export const THREAD_SPAWN = "thread-spawn";
