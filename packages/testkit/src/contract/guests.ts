/** Small guests for contract suites, written as WebAssembly bytes: no compiler is needed to run the tests. */

const I32 = 0x7f;
const FUNCTION_TYPE = 0x60;

function uleb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return bytes;
}

function sleb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7) {
    const low = rest & 0x7f;
    const done =
      (rest >> 7 === 0 && (low & 0x40) === 0) || (rest >> 7 === -1 && (low & 0x40) !== 0);
    bytes.push(done ? low : low | 0x80);
    if (done) return bytes;
  }
}

const text = (value: string): number[] => {
  const bytes = [...new TextEncoder().encode(value)];
  return [...uleb(bytes.length), ...bytes];
};
const vector = (items: readonly (readonly number[])[]): number[] => [
  ...uleb(items.length),
  ...items.flat(),
];
const section = (id: number, body: readonly number[]): number[] => [
  id,
  ...uleb(body.length),
  ...body,
];

/** Followed by octets that the engine skips (WebAssembly core specification, 5.5.3). */
export function withCustomSection(module: Uint8Array, octets: Uint8Array): Uint8Array {
  const name = text("x");
  const head = Uint8Array.of(0, ...uleb(name.length + octets.length), ...name);
  return new Uint8Array(Buffer.concat([module, head, octets]));
}

// Instructions, by their names in the specification.
const constant = (value: number): number[] => [0x41, ...sleb(value)];
const load = (address: number): number[] => [...constant(address), 0x28, 2, 0];
const store = (address: number, value: readonly number[]): number[] => [
  ...constant(address),
  ...value,
  0x36,
  2,
  0,
];
const call = (index: number): number[] => [0x10, ...uleb(index)];
const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];
const loop = (...body: readonly (readonly number[])[]): number[] => [
  0x03,
  0x40,
  ...body.flat(),
  0x0b,
];
const when = (...body: readonly (readonly number[])[]): number[] => [
  0x04,
  0x40,
  ...body.flat(),
  0x0b,
];
const again = (depth: number): number[] => [0x0c, depth];
const againIf = (depth: number): number[] => [0x0d, depth];
const DROP = [0x1a];
const RETURN = [0x0f];
const ADD = [0x6a];
const SUB = [0x6b];
const IS_ZERO = [0x45];
const UNREACHABLE = [0x00];

/** Functions of `wasi_snapshot_preview1` that the guests import, in this order: their number of i32 parameters. */
const IMPORTS: readonly (readonly [name: string, parameters: number, results: number])[] = [
  ["fd_read", 4, 1],
  ["fd_write", 4, 1],
  ["proc_exit", 1, 0],
  ["sock_accept", 3, 1],
  ["fd_close", 1, 1],
];
const [FD_READ, FD_WRITE, PROC_EXIT, SOCK_ACCEPT, FD_CLOSE] = [0, 1, 2, 3, 4] as const;

interface Guest {
  readonly body: readonly (readonly number[])[];
  readonly locals?: number;
  /** Bytes put into memory at address 4096. */
  readonly data?: Uint8Array;
  readonly pages?: number;
}

function encodeGuest({
  body,
  locals = 4,
  data = new Uint8Array(0),
  pages = 40,
}: Guest): Uint8Array {
  const types = [
    ...IMPORTS.map(([, parameters, results]) => [
      FUNCTION_TYPE,
      ...vector(Array.from({ length: parameters }, () => [I32])),
      ...vector(Array.from({ length: results }, () => [I32])),
    ]),
    [FUNCTION_TYPE, 0, 0],
  ];
  const imports = IMPORTS.map(([name], type) => [
    ...text("wasi_snapshot_preview1"),
    ...text(name),
    0,
    ...uleb(type),
  ]);
  const code = [1, ...uleb(locals), I32, ...body.flat(), 0x0b];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector(types)),
    ...section(2, vector(imports)),
    ...section(3, vector([uleb(IMPORTS.length)])),
    ...section(5, vector([[0, ...uleb(pages)]])),
    ...section(
      7,
      vector([
        [...text("memory"), 2, 0],
        [...text("_start"), 0, ...uleb(IMPORTS.length)],
      ]),
    ),
    ...section(10, vector([[...uleb(code.length), ...code]])),
    ...section(11, vector([[0, ...constant(4096), 0x0b, ...uleb(data.length), ...data]])),
  ]);
}

const BUFFER = 65536;
const BUFFER_BYTES = 1 << 20;
/** Addresses of an iovec (pointer, length), of the count that calls answer, and of a descriptor. */
const [POINTER, LENGTH, COUNT, DESCRIPTOR] = [0, 4, 8, 12] as const;

/** Writes local 0's length of bytes from local 1's address to the descriptor `to`. */
const writeAll = (to: readonly number[]): number[] =>
  loop(
    store(POINTER, get(1)),
    store(LENGTH, get(0)),
    [...to, ...constant(POINTER), ...constant(1), ...constant(COUNT), ...call(FD_WRITE)],
    when(RETURN),
    [...get(1), ...load(COUNT), ...ADD, ...set(1)],
    [...get(0), ...load(COUNT), ...SUB, ...set(0)],
    [...get(0), ...againIf(0)],
  );

/** Copies descriptor `from` to `to` until the end; `atEnd` runs then, and must leave. */
const copyAll = (
  from: readonly number[],
  to: readonly number[],
  atEnd: readonly number[],
): number[] =>
  loop(
    store(POINTER, constant(BUFFER)),
    store(LENGTH, constant(BUFFER_BYTES)),
    [...from, ...constant(POINTER), ...constant(1), ...constant(COUNT), ...call(FD_READ)],
    when(constant(71), call(PROC_EXIT)),
    [...load(COUNT), ...set(0)],
    [...get(0), ...IS_ZERO, ...when(atEnd)],
    [...constant(BUFFER), ...set(1)],
    writeAll(to),
    again(0),
  );

/** stdin to stdout, then exit 0. */
export function encodeCatGuest(): Uint8Array {
  return encodeGuest({ body: [copyAll(constant(0), constant(1), RETURN)] });
}

/** Writes `greeting` to stdout and exits with `code`. */
export function encodeHelloGuest(greeting: string, code = 0): Uint8Array {
  const data = new TextEncoder().encode(greeting);
  return encodeGuest({
    data,
    body: [
      [...constant(data.length), ...set(0), ...constant(4096), ...set(1)],
      writeAll(constant(1)),
      [...constant(code), ...call(PROC_EXIT)],
    ],
  });
}

/** Writes 64 KiB to stdout so many times, then exits with 0. */
export function encodeFloodGuest(writes: number): Uint8Array {
  return encodeGuest({
    body: [
      loop(
        [...constant(65536), ...set(0), ...constant(4096), ...set(1)],
        writeAll(constant(1)),
        [...get(2), ...constant(1), ...ADD, ...set(2)],
        [...get(2), ...constant(writes), ...SUB],
        againIf(0),
      ),
    ],
  });
}

/** Never ends and never calls out. */
export function encodeSpinGuest(): Uint8Array {
  return encodeGuest({ body: [loop(again(0))] });
}

/** Executes `unreachable`. */
export function encodeTrapGuest(): Uint8Array {
  return encodeGuest({ body: [UNREACHABLE] });
}

/** Accepts one connection on descriptor `listener`, echoes it to its end, and serves the next; for ever. */
export function encodeEchoServerGuest(listener: number): Uint8Array {
  const accepted = load(DESCRIPTOR);
  return encodeGuest({
    body: [
      loop(
        [...constant(listener), ...constant(0), ...constant(DESCRIPTOR), ...call(SOCK_ACCEPT)],
        when(constant(72), call(PROC_EXIT)),
        // A block to leave the copy loop by.
        [0x02, 0x40, ...copyAll(accepted, accepted, [0x0c, 2]), 0x0b],
        [...accepted, ...call(FD_CLOSE), ...DROP],
        again(0),
      ),
    ],
  });
}

/** Copies stdin to descriptor `connection`... and what comes back to stdout, one after the other. */
export function encodeConnectGuest(connection: number, greeting: string): Uint8Array {
  const data = new TextEncoder().encode(greeting);
  return encodeGuest({
    data,
    body: [
      [...constant(data.length), ...set(0), ...constant(4096), ...set(1)],
      writeAll(constant(connection)),
      copyAll(constant(connection), constant(1), RETURN),
    ],
  });
}
