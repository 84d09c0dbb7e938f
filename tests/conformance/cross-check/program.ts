/** Small programs over preview 1, as data, so that two engines can run the same ones. */

/** An i32 as number, an i64 as `0x` and its u64 in hexadecimal. */
export type Argument = number | string;

export type Step =
  | { readonly write: number; readonly hex: string }
  | {
      readonly call: string;
      readonly args: readonly Argument[];
      /** Memory to look at afterwards: address and length. */
      readonly reads?: readonly (readonly [number, number])[];
    };

export interface Program {
  readonly name: string;
  readonly steps: readonly Step[];
}

/** What a call answered: its errno or `trap`, and the memory looked at, in hexadecimal. */
export type Answer = readonly [number | "trap", ...string[]];

export interface ProgramAnswers {
  readonly name: string;
  readonly answers: readonly Answer[];
}

/** Pages of the memory of every program. */
export const PAGES = 2;
/** Where the result of a call goes. */
export const RESULT = 0x400;
export const RESULT_2 = 0x408;
export const BUFFER = 0x1000;
export const BUFFER_LENGTH = 64;
export const IOVS = 0x100;
export const PATH = 0x200;
export const PATH_2 = 0x300;
export const SUBSCRIPTIONS = 0x500;
export const EVENTS = 0x600;

export const u64 = (value: bigint): string => `0x${BigInt.asUintN(64, value).toString(16)}`;

export function write(address: number, bytes: Uint8Array | string): Step {
  return { write: address, hex: Buffer.from(bytes).toString("hex") };
}

export function u32s(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

export function call(name: string, ...args: readonly Argument[]): Step {
  return { call: name, args, reads: [[RESULT, 8]] };
}

/** One iovec for the buffer, at `IOVS`. */
export const oneBuffer = write(IOVS, u32s(BUFFER, BUFFER_LENGTH));

export interface OpenArguments {
  readonly dirflags?: number;
  readonly oflags?: number;
  readonly rights?: bigint;
  readonly fdflags?: number;
}

export const RIGHTS_RW = 0x42n;

/** `path_open` under descriptor 3; the first one gets number 4. */
export function open(path: string, options: OpenArguments = {}): readonly Step[] {
  const { dirflags = 0, oflags = 0, rights = RIGHTS_RW, fdflags = 0 } = options;
  return [
    write(PATH, path),
    call(
      "path_open",
      3,
      dirflags,
      PATH,
      Buffer.byteLength(path),
      oflags,
      u64(rights),
      u64(0n),
      fdflags,
      RESULT,
    ),
  ];
}

/** Files under descriptor 3 in every program: a file, a folder with a file, three links. */
export const FIXTURE = {
  folders: ["d", "empty"],
  files: { f: "hello world", "d/x": "inside" },
  links: { l: "f", up: "../f", loop: "loop" },
} as const;

export const ARGS = ["program", "one"] as const;
export const ENV = { KEY: "value" } as const;
