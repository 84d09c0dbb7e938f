/** Where our answers differ from wasmtime's on purpose, each with its reason. */
export interface Difference {
  /** Programs it is about. */
  readonly program: RegExp;
  /** Only where wasmtime traps. */
  readonly trap?: true;
  readonly reason: string;
}

export const DIFFERENCES: readonly Difference[] = [
  {
    program: /=0x[1-7]$/,
    trap: true,
    reason:
      "wasmtime traps at a pointer that is not aligned; wasm itself allows them, and so do we",
  },
  {
    program: /^sock_send 3=/,
    trap: true,
    reason: "there is no flag to send, so the descriptor is looked at first: notsock",
  },
  {
    program: /^clock_(res|time)_get 0=0x[23]$/,
    reason: "wasmtime has no clocks of CPU time (badf); we have them, and C's clock() uses them",
  },
  {
    program: /^fd_allocate /,
    reason: "wasmtime cannot allocate (notsup)",
  },
  {
    program: /^(fd_(read|write|pread|pwrite) 2|fd_readdir 2|path_readlink [34])=/,
    reason:
      "wasmtime looks only at the part of a range that it comes to need; we check all of it first",
  },
  {
    program: /^(path_\w+|poll_oneoff) [1-7]=0x(7fffffff|80000000|fffffff8|ffffffff)$/,
    reason:
      "wasmtime budgets what it copies (nomem) before it looks whether the range is in memory",
  },
  {
    program: /^path_\w+ \d=0x10000$/,
    reason: "a path both too long and with NULs: either errno is right",
  },
  {
    program: /^(fd_seek 1|fd_pread 3|fd_pwrite 3)=0x(20000000000001|7fffffffffffffff)$/,
    reason: "our positions end at 2^53 - 1, above the largest file",
  },
  {
    program: /^path_open 7=0x(2|3|7|10)$/,
    reason:
      "wasmtime cannot open for synchronous writes (notsup); files in memory are always in sync",
  },
  {
    program: /^(set flags of std(in|out|err)|fd_fdstat_set_flags 0=0x[012])$/,
    reason: "wasmtime has no flags on stdio (badf); we can make streams not block",
  },
  {
    program: /^open directory "(l|loop|up)"$/,
    reason: "a link not followed where a directory is wanted: Linux says notdir, cap-std loop",
  },
  {
    program: /^(link to|symlink at) "(f|l|d\/x)\/"$/,
    reason: "an existing file named with a slash: Linux says exist, cap-std notdir",
  },
  {
    program: /^rmdir "d\/\.\."$/,
    reason: "Linux says notempty for a path that ends in .., cap-std inval",
  },
];
