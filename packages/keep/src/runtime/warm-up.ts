/**
 * Walks once through what every start of a workload does, while the worker waits for its order: the
 * engine compiles JavaScript on first call, and that is then no longer on the way of the workload.
 */
import type { SharedWords } from "./doorbell.ts";
import { createGuest } from "./guest.ts";
import { checkModule } from "./load-module.ts";

// (module (import "wasi_snapshot_preview1" "proc_exit" (func (param i32))) (memory (export "memory") 1)
//   (func (export "_start") i32.const 0 call 0))
// biome-ignore format: one section a line
const PROGRAM = Uint8Array.of(
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, // magic, version
  0x01, 0x08, 0x02, 0x60, 0x01, 0x7f, 0x00, 0x60, 0x00, 0x00, // types: (i32) -> (), () -> ()
  0x02, 0x24, 0x01, 0x16, // one import
  0x77, 0x61, 0x73, 0x69, 0x5f, 0x73, 0x6e, 0x61, 0x70, 0x73, 0x68,
  0x6f, 0x74, 0x5f, 0x70, 0x72, 0x65, 0x76, 0x69, 0x65, 0x77, 0x31, // "wasi_snapshot_preview1"
  0x09, 0x70, 0x72, 0x6f, 0x63, 0x5f, 0x65, 0x78, 0x69, 0x74, 0x00, 0x00, // "proc_exit", type 0
  0x03, 0x02, 0x01, 0x01, // function 1: type 1
  0x05, 0x03, 0x01, 0x00, 0x01, // memory of one page
  0x07, 0x13, 0x02, 0x06, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 0x02, 0x00, // "memory"
  0x06, 0x5f, 0x73, 0x74, 0x61, 0x72, 0x74, 0x00, 0x01, // "_start"
  0x0a, 0x08, 0x01, 0x06, 0x00, 0x41, 0x00, 0x10, 0x00, 0x0b, // call 0 with 0
);

/** Has no effect but on the engine's caches. */
export function warmUp(control: SharedWords): void {
  checkModule(PROGRAM, 65_536);
  const limits = {
    memoryBytes: 65_536,
    filesBytes: 1 << 20,
    timeMs: null,
    descriptors: 8,
    threads: 0,
    outputBytes: null,
  };
  const { wasi, clock } = createGuest(
    {
      args: ["warm-up"],
      env: new Map([["A", "b"]]),
      descriptors: [],
      mounts: [{ kind: "memory", guest: "/tmp" }],
      limits,
      clockFloorNs: 0n,
    },
    control,
  );
  const instance = new WebAssembly.Instance(new WebAssembly.Module(PROGRAM), {
    wasi_snapshot_preview1: wasi.imports as WebAssembly.ModuleImports,
  });
  wasi.bindMemory(instance.exports["memory"] as WebAssembly.Memory);
  try {
    (instance.exports["_start"] as () => void)();
  } catch (error) {
    if (!wasi.exit.isExit(error)) throw error;
  }
  clock.realtime();
  wasi.close();
}
