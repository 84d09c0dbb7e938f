/** A small assembler for classic BPF, as seccomp takes it (Linux, `linux/filter.h`). */

// Instruction classes and modes of `linux/bpf_common.h`, as far as filters need them.
const LOAD_WORD_ABSOLUTE = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER_OR_EQUAL = 0x35;
const JUMP_SET = 0x45;
const RETURN = 0x06;

/** One line of a program. A jump names the line's label that it goes to when true, and falls through otherwise. */
export type BpfLine =
  | { readonly op: "load"; readonly offset: number }
  | {
      readonly op: "jump-equal" | "jump-greater-or-equal" | "jump-set";
      readonly value: number;
      readonly to: string;
    }
  | { readonly op: "return"; readonly value: number }
  | { readonly op: "label"; readonly name: string };

const JUMPS = {
  "jump-equal": JUMP_EQUAL,
  "jump-greater-or-equal": JUMP_GREATER_OR_EQUAL,
  "jump-set": JUMP_SET,
} as const;

/** Octets of one `struct sock_filter`. */
const INSTRUCTION_BYTES = 8;
/** A jump's distance is one octet. */
const MAX_JUMP = 255;

/** The program as an array of `struct sock_filter`, little-endian. Throws `RangeError` for a jump too far or to nowhere. */
export function assembleBpf(lines: readonly BpfLine[]): Uint8Array {
  const labels = new Map<string, number>();
  const code: Exclude<BpfLine, { op: "label" }>[] = [];
  for (const line of lines) {
    if (line.op === "label") labels.set(line.name, code.length);
    else code.push(line);
  }
  const bytes = new Uint8Array(code.length * INSTRUCTION_BYTES);
  const view = new DataView(bytes.buffer);
  code.forEach((line, index) => {
    const at = index * INSTRUCTION_BYTES;
    if (line.op === "load") {
      view.setUint16(at, LOAD_WORD_ABSOLUTE, true);
      view.setUint32(at + 4, line.offset, true);
    } else if (line.op === "return") {
      view.setUint16(at, RETURN, true);
      view.setUint32(at + 4, line.value >>> 0, true);
    } else {
      const target = labels.get(line.to);
      const distance = (target ?? -1) - index - 1;
      if (distance < 0 || distance > MAX_JUMP) {
        throw new RangeError(`the jump at ${index} to '${line.to}' goes ${distance} instructions`);
      }
      view.setUint16(at, JUMPS[line.op], true);
      view.setUint8(at + 2, distance);
      view.setUint32(at + 4, line.value >>> 0, true);
    }
  });
  return bytes;
}
