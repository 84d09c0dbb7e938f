/** Tells precisely why and where a workload trapped, from what V8 throws. */
import type { StackFrame } from "./workload.ts";

/** Frames of a stack trace that are kept. */
export const MAX_FRAMES = 64;
/** Characters of one function name that are kept: names are the workload's, and may be of any length. */
const MAX_NAME_LENGTH = 512;

/** V8's words (src/common/message-template.h, `kTrap...`) and plain ones. First match wins. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/^unreachable/, "unreachable instruction executed"],
  [/^memory access out of bounds/, "out of bounds memory access"],
  [/^operation does not support unaligned accesses/, "unaligned atomic access"],
  [/^divide by zero/, "integer divide by zero"],
  [/^remainder by zero/, "integer divide by zero"],
  [/^float unrepresentable in integer range/, "invalid conversion to integer"],
  [/^divide result unrepresentable/, "integer overflow"],
  [/^null function or function signature/, "indirect call type mismatch"],
  [/^function signature mismatch/, "indirect call type mismatch"],
  [/^table index is out of bounds/, "out of bounds table access"],
  [/^table (or|access|element)/, "out of bounds table access"],
  [/^element segment/, "out of bounds table access"],
  [/^data segment/, "out of bounds memory access"],
  [/^array element access out of bounds/, "out of bounds array access"],
  [/^dereferencing a null pointer/, "null reference"],
  [/^illegal cast/, "cast failure"],
  [/^Atomics.wait cannot be called/, "atomic wait on memory that is not shared"],
  [/^rethrowing null value/, "null exception rethrown"],
];

/** The reason in plain words. */
export function describeTrap(error: unknown): string {
  if (error instanceof RangeError && /call stack/.test(error.message)) return "stack overflow";
  if (error instanceof WebAssembly.RuntimeError) {
    return REASONS.find(([pattern]) => pattern.test(error.message))?.[1] ?? error.message;
  }
  if (isWasmException(error)) return "uncaught exception";
  return error instanceof Error ? `${error.name}: ${error.message}` : "uncaught exception";
}

function isWasmException(error: unknown): error is Error {
  return typeof WebAssembly.Exception === "function" && error instanceof WebAssembly.Exception;
}

// "at name (wasm://wasm/module-0123abcd:wasm-function[12]:0x3f2)", the name with its brackets left out
// when the module has none.
const FRAME =
  /^\s+at (?:(.*) \()?wasm:\/\/wasm\/(?:(.*)-)?[0-9a-f]+:wasm-function\[(\d+)\]:0x([0-9a-f]+)\)?$/;

/** The wasm frames of an error's stack, innermost first. */
export function parseFrames(stack: string | undefined): StackFrame[] {
  const frames: StackFrame[] = [];
  for (const line of (stack ?? "").split("\n")) {
    const found = FRAME.exec(line);
    if (found === null) continue;
    const [, name, module, index, offset] = found;
    const wanted = stripModule(name, module) ?? `function ${index}`;
    frames.push({
      function: demangle(wanted.slice(0, MAX_NAME_LENGTH)),
      module: module ?? "",
      offset: Number.parseInt(offset!, 16),
    });
    if (frames.length === MAX_FRAMES) break;
  }
  return frames;
}

/** V8 writes "module.function" for a module with a name, and only "module" for a function without. */
function stripModule(name: string | undefined, module: string | undefined): string | undefined {
  if (name === undefined || module === undefined) return name;
  if (name === module) return undefined;
  return name.startsWith(`${module}.`) ? name.slice(module.length + 1) : name;
}

const RUST_ESCAPES: Readonly<Record<string, string>> = {
  SP: "@",
  BP: "*",
  RF: "&",
  LT: "<",
  GT: ">",
  LP: "(",
  RP: ")",
  C: ",",
};

/**
 * The path in a mangled name: `_ZN` nested names of C++ and of Rust's legacy scheme (its hash left
 * out). Anything else stays as it is: a full demangler is larger than what it would show.
 */
export function demangle(name: string): string {
  if (!name.startsWith("_ZN")) return name;
  const parts: string[] = [];
  let at = /^_ZN[rVKRO]*/.exec(name)![0].length;
  for (;;) {
    const digits = /^\d+/.exec(name.slice(at, at + 4))?.[0];
    if (digits === undefined) break;
    at += digits.length;
    const part = name.slice(at, at + Number(digits));
    if (part.length !== Number(digits)) return name;
    parts.push(part);
    at += part.length;
  }
  if (name[at] !== "E" || parts.length === 0) return name;
  if (parts.length > 1 && /^h[0-9a-f]{16}$/.test(parts.at(-1)!)) parts.pop();
  return parts.map(unescapeRust).join("::");
}

function unescapeRust(part: string): string {
  if (!part.includes("$") && !part.includes("..")) return part;
  return part
    .replace(/^_\$/, "$")
    .replace(/\$(\w+?)\$/g, (whole, code: string) => {
      const escaped = RUST_ESCAPES[code];
      if (escaped !== undefined) return escaped;
      const point = /^u([0-9a-f]{1,5})$/.exec(code)?.[1];
      return point === undefined ? whole : String.fromCodePoint(Number.parseInt(point, 16));
    })
    .replaceAll("..", "::");
}
