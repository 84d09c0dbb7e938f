/**
 * Numbers of WASI preview 1, with the names of the witx.
 * Source: WASI `typenames.witx` of `wasi_snapshot_preview1`.
 */
export const ClockId = {
  realtime: 0,
  monotonic: 1,
  processCputimeId: 2,
  threadCputimeId: 3,
} as const;

export const Filetype = {
  unknown: 0,
  blockDevice: 1,
  characterDevice: 2,
  directory: 3,
  regularFile: 4,
  socketDgram: 5,
  socketStream: 6,
  symbolicLink: 7,
} as const;

export type FiletypeValue = (typeof Filetype)[keyof typeof Filetype];

export const Fdflags = { append: 1, dsync: 2, nonblock: 4, rsync: 8, sync: 16 } as const;
export const FDFLAGS_ALL = 31;

export const Oflags = { creat: 1, directory: 2, excl: 4, trunc: 8 } as const;
export const OFLAGS_ALL = 15;

export const Lookupflags = { symlinkFollow: 1 } as const;
export const LOOKUPFLAGS_ALL = 1;

export const Fstflags = { atim: 1, atimNow: 2, mtim: 4, mtimNow: 8 } as const;
export const FSTFLAGS_ALL = 15;

export const Riflags = { peek: 1, waitall: 2 } as const;
export const RIFLAGS_ALL = 3;

export const Sdflags = { rd: 1, wr: 2 } as const;
export const SDFLAGS_ALL = 3;

export const Eventtype = { clock: 0, fdRead: 1, fdWrite: 2 } as const;
export const Eventrwflags = { fdReadwriteHangup: 1 } as const;
export const Subclockflags = { subscriptionClockAbstime: 1 } as const;
export const SUBCLOCKFLAGS_ALL = 1;

/** `advice` has six values, `normal` to `noreuse`. */
export const ADVICE_MAX = 5;
/** `signal` has 31 values, `none` to `sys`. */
export const SIGNAL_MAX = 30;
/** `preopentype` has one value. */
export const PREOPENTYPE_DIR = 0;
