/**
 * A small assembler for programs that only make system calls (Linux on x86-64), and the ELF file around them: what the
 * first process of a VM Keep is made of. One fixed address, no libraries, no relocation: the same lines give the
 * same bytes. Instruction formats: Intel SDM volume 2; the file: ELF-64 Object File Format.
 */

/** Where the file is mapped, read and execute; and the writable memory, which starts as zeros. */
const CODE_ADDRESS = 0x400000;
const MEMORY_ADDRESS = 0x800000;
const ELF_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const CODE_OFFSET = ELF_HEADER_BYTES + 2 * PROGRAM_HEADER_BYTES;

/**
 * Bytes that live beside the code; an argument of this kind is their address. A string ends with a zero octet; `words` are
 * 64 bits each, a number or the address of other data.
 */
export type GuestData = string | Uint8Array | { readonly words: readonly (number | GuestData)[] };

/** `variable`: its 64 bits; `half`: the 32 bits at an offset in it; `address`: where it lies. */
export type GuestArgument =
  | number
  | GuestData
  | { readonly variable: string }
  | { readonly half: string; readonly offset: 0 | 4 }
  | { readonly address: string };

export type GuestCondition =
  | "always"
  | "zero"
  | "negative"
  | "not-negative"
  | "not-positive"
  | "positive";

/** One line of a program. The result of the last `call`, `add` or `subtract` is what `jump` tests and `store` keeps. */
export type GuestLine =
  | { readonly op: "call"; readonly call: number; readonly arguments: readonly GuestArgument[] }
  | { readonly op: "store"; readonly to: string }
  /** Sets a variable. */
  | { readonly op: "set"; readonly to: string; readonly value: GuestArgument }
  | { readonly op: "add" | "subtract"; readonly to: string; readonly value: GuestArgument }
  | { readonly op: "jump"; readonly when: GuestCondition; readonly to: string }
  | { readonly op: "label"; readonly name: string };

export interface GuestProgram {
  readonly lines: readonly GuestLine[];
  /** Octets of each variable. */
  readonly variables: Readonly<Record<string, number>>;
}

/** `mov r64, imm32` (sign-extended), and the register field of `mov r64, [disp32]`, in the order of the system call's arguments. */
const ARGUMENT_REGISTERS = [
  { rex: 0x48, low: 7 }, // rdi
  { rex: 0x48, low: 6 }, // rsi
  { rex: 0x48, low: 2 }, // rdx
  { rex: 0x49, low: 2 }, // r10
  { rex: 0x49, low: 0 }, // r8
  { rex: 0x49, low: 1 }, // r9
] as const;
const RAX = { rex: 0x48, low: 0 } as const;
const RCX = { rex: 0x48, low: 1 } as const;
type Register = { readonly rex: 0x48 | 0x49; readonly low: number };

const SYSCALL = [0x0f, 0x05];
const TEST_RAX = [0x48, 0x85, 0xc0];
const JUMPS: Readonly<Record<GuestCondition, readonly number[]>> = {
  always: [0xe9],
  zero: [0x0f, 0x84],
  negative: [0x0f, 0x88],
  "not-negative": [0x0f, 0x89],
  "not-positive": [0x0f, 0x8e],
  positive: [0x0f, 0x8f],
};

/** The program as an ELF file. Throws `RangeError` for a jump or a variable that does not exist. */
export function assembleGuestProgram({ lines, variables }: GuestProgram): Uint8Array<ArrayBuffer> {
  const memory = new Map<string, number>();
  let memoryEnd = MEMORY_ADDRESS;
  for (const [name, bytes] of Object.entries(variables)) {
    memory.set(name, memoryEnd);
    memoryEnd += Math.ceil(bytes / 8) * 8;
  }
  // The length of the code does not depend on the addresses in it: a first pass finds where the data begins.
  const length = new Assembler(memory, 0).assemble(lines).code.length;
  const { code, data } = new Assembler(memory, CODE_ADDRESS + CODE_OFFSET + length).assemble(lines);
  return encodeElf(Uint8Array.from([...code, ...data]), memoryEnd - MEMORY_ADDRESS);
}

class Assembler {
  readonly code: number[] = [];
  readonly data: number[] = [];
  readonly #memory: ReadonlyMap<string, number>;
  readonly #dataAddress: number;
  readonly #known = new Map<string, number>();

  constructor(memory: ReadonlyMap<string, number>, dataAddress: number) {
    this.#memory = memory;
    this.#dataAddress = dataAddress;
  }

  assemble(lines: readonly GuestLine[]): this {
    const labels = new Map<string, number>();
    const jumps: { at: number; to: string }[] = [];
    for (const line of lines) {
      if (line.op === "label") labels.set(line.name, this.code.length);
      else if (line.op === "jump") {
        this.code.push(...TEST_RAX, ...JUMPS[line.when], 0, 0, 0, 0);
        jumps.push({ at: this.code.length, to: line.to });
      } else this.#line(line);
    }
    for (const { at, to } of jumps) {
      const target = labels.get(to);
      if (target === undefined) throw new RangeError(`a jump to '${to}', which is no label`);
      this.code.splice(at - 4, 4, ...encodeU32(target - at));
    }
    return this;
  }

  #line(line: Exclude<GuestLine, { op: "label" | "jump" }>): void {
    if (line.op === "call") {
      for (const [index, value] of line.arguments.entries())
        this.#load(ARGUMENT_REGISTERS[index]!, value);
      this.#load(RAX, line.call);
      this.code.push(...SYSCALL);
    } else if (line.op === "store") this.#store(RAX, line.to);
    else if (line.op === "set") {
      this.#load(RCX, line.value);
      this.#store(RCX, line.to);
    } else {
      this.#load(RCX, line.value);
      // mov rax, [disp32]; add or sub rax, rcx
      this.#load(RAX, { variable: line.to });
      this.code.push(0x48, line.op === "add" ? 0x01 : 0x29, 0xc8);
      this.#store(RAX, line.to);
    }
  }

  #load(register: Register, value: GuestArgument): void {
    if (typeof value === "object" && "variable" in value) {
      this.code.push(register.rex === 0x48 ? 0x48 : 0x4c, 0x8b, (register.low << 3) | 4, 0x25);
      this.code.push(...encodeU32(this.#address(value.variable)));
    } else if (typeof value === "object" && "half" in value) {
      this.code.push(register.rex === 0x48 ? 0x40 : 0x44, 0x8b, (register.low << 3) | 4, 0x25);
      this.code.push(...encodeU32(this.#address(value.half) + value.offset));
    } else {
      const address = typeof value === "object" && "address" in value;
      const number = address ? this.#address(value.address) : this.#number(value);
      this.code.push(register.rex, 0xc7, 0xc0 | register.low, ...encodeU32(number));
    }
  }

  #store(register: Register, name: string): void {
    this.code.push(0x48, 0x89, (register.low << 3) | 4, 0x25, ...encodeU32(this.#address(name)));
  }

  #address(name: string): number {
    const address = this.#memory.get(name);
    if (address === undefined) throw new RangeError(`'${name}' is no variable`);
    return address;
  }

  #number(value: number | GuestData): number {
    return typeof value === "number" ? value : this.#place(value);
  }

  /** Equal data is placed once. */
  #place(value: GuestData): number {
    const bytes = this.#encode(value);
    const key = String.fromCharCode(...bytes);
    let address = this.#known.get(key);
    if (address === undefined) {
      while ((this.#dataAddress + this.data.length) % 8 !== 0) this.data.push(0);
      address = this.#dataAddress + this.data.length;
      this.#known.set(key, address);
      this.data.push(...bytes);
    }
    return address;
  }

  #encode(value: GuestData): readonly number[] {
    if (typeof value === "string") return [...new TextEncoder().encode(value), 0];
    if (value instanceof Uint8Array) return [...value];
    return value.words.flatMap((word) => [...encodeU32(this.#number(word)), 0, 0, 0, 0]);
  }
}

function encodeU32(value: number): number[] {
  return [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >> 24) & 0xff];
}

function encodeElf(body: Uint8Array, memoryBytes: number): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(CODE_OFFSET + body.length);
  const view = new DataView(file.buffer);
  // ELF, 64 bits, little-endian, version 1, System V; ET_EXEC, EM_X86_64.
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 62, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(CODE_ADDRESS + CODE_OFFSET), true);
  view.setBigUint64(32, BigInt(ELF_HEADER_BYTES), true);
  view.setUint16(52, ELF_HEADER_BYTES, true);
  view.setUint16(54, PROGRAM_HEADER_BYTES, true);
  view.setUint16(56, 2, true);
  const segment = (
    at: number,
    flags: number,
    address: number,
    fileBytes: number,
    bytes: number,
  ) => {
    view.setUint32(at, 1, true);
    view.setUint32(at + 4, flags, true);
    view.setBigUint64(at + 16, BigInt(address), true);
    view.setBigUint64(at + 24, BigInt(address), true);
    view.setBigUint64(at + 32, BigInt(fileBytes), true);
    view.setBigUint64(at + 40, BigInt(bytes), true);
    view.setBigUint64(at + 48, 0x1000n, true);
  };
  const READ_EXECUTE = 5;
  const READ_WRITE = 6;
  segment(ELF_HEADER_BYTES, READ_EXECUTE, CODE_ADDRESS, file.length, file.length);
  segment(ELF_HEADER_BYTES + PROGRAM_HEADER_BYTES, READ_WRITE, MEMORY_ADDRESS, 0, memoryBytes);
  file.set(body, CODE_OFFSET);
  return file;
}
