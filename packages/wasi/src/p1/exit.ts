/**
 * The end of a program by `proc_exit`.
 *
 * Wasm can catch what JavaScript throws (`catch_all`), but not traps. So the error that unwinds the
 * guest is a real trap, made by a tiny module of our own: no handler and no clean-up code of the
 * guest runs, as in the engines that exit natively. The runner recognises the error by identity.
 */

import { wasmEngine } from "./wasm-engine.ts";

// (module (func (export "f") unreachable))
const TRAP_MODULE = Uint8Array.of(
  0x00,
  0x61,
  0x73,
  0x6d,
  0x01,
  0x00,
  0x00,
  0x00, // magic, version
  0x01,
  0x04,
  0x01,
  0x60,
  0x00,
  0x00, // type 0: () -> ()
  0x03,
  0x02,
  0x01,
  0x00, // function 0: type 0
  0x07,
  0x05,
  0x01,
  0x01,
  0x66,
  0x00,
  0x00, // export "f"
  0x0a,
  0x05,
  0x01,
  0x03,
  0x00,
  0x00,
  0x0b, // unreachable
);

export class Exit {
  #code: number | null = null;
  #signal: unknown = null;

  /** The exit code; `null` while the program has not asked to exit. */
  get code(): number | null {
    return this.#code;
  }

  /** Whether `error` is what `proc_exit` of this instance threw. */
  isExit(error: unknown): boolean {
    return this.#code !== null && error === this.#signal;
  }

  /** Ends the program; the first code stays. */
  raise(code: number): never {
    if (this.#code === null) {
      this.#signal = createTrap();
      this.#code = code;
    }
    throw this.#signal;
  }
}

function createTrap(): unknown {
  const { exports } = new wasmEngine.Instance(new wasmEngine.Module(TRAP_MODULE));
  try {
    (exports["f"] as () => void)();
  } catch (trap) {
    return trap;
  }
  throw new TypeError("Expected the trap module to trap");
}
