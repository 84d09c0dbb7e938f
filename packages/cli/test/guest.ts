/** Small WASI programs for the tests, assembled here so that what they do is in plain sight. */
const I32 = 0x7f;
const FUNCTION_TYPES = {
  fd_read: [4, 1],
  fd_write: [4, 1],
  proc_exit: [1, 0],
  fd_fdstat_get: [2, 1],
} as const;
const NAMES = Object.keys(FUNCTION_TYPES) as (keyof typeof FUNCTION_TYPES)[];

/** `0: iovec{1024, 32768}`, `8: bytes read`, `12: bytes written`, `16: iovec to write`. */
const READ = { iovec: 0, count: 8 };
const WRITE = { count: 12, iovec: 16 };
/** `filetype` and `rights` of witx. */
const CHARACTER_DEVICE = 2;
const SEEK_AND_TELL = (1 << 2) | (1 << 5);
const BUFFER = 1024;
const BUFFER_BYTES = 32_768;

export const GUESTS = {
  /** Exits with a code. */
  exit: (code: number) => createModule([...i32(code), ...call("proc_exit")]),
  trap: () => createModule([0x00]),
  /** Never ends and never calls out. */
  spin: () => createModule([0x03, 0x40, 0x0c, 0x00, 0x0b]),
  /**
   * Exits with bit 0, 1 or 2 for each of stdin, stdout and stderr that is a terminal as wasi-libc's `isatty` has
   * it: a character device without the rights to seek and to tell.
   */
  terminals: () =>
    createModule([
      ...terminalBit(0),
      ...terminalBit(1),
      0x72,
      ...terminalBit(2),
      0x72,
      ...call("proc_exit"),
    ]),
  /** Copies stdin to stdout; exits with the errno of a write that fails. */
  cat: () => createModule([0x03, 0x40, ...readBlock(), ...writeBlock(), 0x0c, 0x00, 0x0b]),
  /** Writes zeros to stdout for ever; exits with the errno of a write that fails. */
  flood: () =>
    createModule([0x03, 0x40, ...i32(BUFFER_BYTES), 0x21, 0, ...writeBlock(), 0x0c, 0x00, 0x0b]),
};

/** `1 << fd` when it is a terminal, else 0. */
function terminalBit(fd: number): number[] {
  const stat = 32;
  return [
    ...[...i32(fd), ...i32(stat), ...call("fd_fdstat_get"), 0x1a],
    ...[...i32(stat), 0x2d, 0, 0, ...i32(CHARACTER_DEVICE), 0x46],
    ...[...load(stat + 8), ...i32(SEEK_AND_TELL), 0x71, 0x45, 0x71],
    ...[...i32(fd), 0x74],
  ];
}

/** Reads into the buffer; returns from `_start` at the end of stdin. Leaves the count in local 0. */
function readBlock(): number[] {
  return [
    ...store(READ.iovec, i32(BUFFER)),
    ...store(READ.iovec + 4, i32(BUFFER_BYTES)),
    ...[...i32(0), ...i32(READ.iovec), ...i32(1), ...i32(READ.count), ...call("fd_read"), 0x1a],
    ...[...load(READ.count), 0x22, 0, 0x45, 0x04, 0x40, 0x0f, 0x0b],
  ];
}

/** Writes local 0 bytes of the buffer, however many calls that takes. */
function writeBlock(): number[] {
  return [
    ...[...i32(BUFFER), 0x21, 1, 0x03, 0x40],
    ...store(WRITE.iovec, [0x20, 1]),
    ...store(WRITE.iovec + 4, [0x20, 0]),
    ...[
      ...i32(1),
      ...i32(WRITE.iovec),
      ...i32(1),
      ...i32(WRITE.count),
      ...call("fd_write"),
      0x22,
      2,
    ],
    ...[0x04, 0x40, 0x20, 2, ...call("proc_exit"), 0x0b],
    ...[0x20, 1, ...load(WRITE.count), 0x6a, 0x21, 1],
    ...[0x20, 0, ...load(WRITE.count), 0x6b, 0x22, 0, 0x0d, 0x00, 0x0b],
  ];
}

function i32(value: number): number[] {
  return [0x41, ...signed(value)];
}

function call(name: keyof typeof FUNCTION_TYPES): number[] {
  return [0x10, NAMES.indexOf(name)];
}

function load(address: number): number[] {
  return [...i32(address), 0x28, 2, 0];
}

function store(address: number, value: number[]): number[] {
  return [...i32(address), ...value, 0x36, 2, 0];
}

function createModule(body: number[]): Uint8Array {
  const types = NAMES.map((name) => {
    const [parameters, results] = FUNCTION_TYPES[name];
    return [0x60, ...vector(Array(parameters).fill([I32])), ...vector(Array(results).fill([I32]))];
  });
  const imports = NAMES.map((name, index) => [
    ...text("wasi_snapshot_preview1"),
    ...text(name),
    0,
    index,
  ]);
  const code = [1, 3, I32, ...body, 0x0b];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector([...types, [0x60, 0, 0]])),
    ...section(2, vector(imports)),
    ...section(3, vector([[NAMES.length]])),
    ...section(5, vector([[0, 1]])),
    ...section(
      7,
      vector([
        [...text("_start"), 0, NAMES.length],
        [...text("memory"), 2, 0],
      ]),
    ),
    ...section(10, vector([[...unsigned(code.length), ...code]])),
  ]);
}

function section(id: number, content: number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function text(value: string): number[] {
  return [...unsigned(value.length), ...Buffer.from(value)];
}

function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): number[] {
  if (value >= -64 && value < 64) return [value & 0x7f];
  return [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}
