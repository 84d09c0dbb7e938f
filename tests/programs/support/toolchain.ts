/** clang and LLVM's linker, themselves WebAssembly programs, run in a Keep. */
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { execute, type Finished, runManifest } from "../../support/keep.ts";

const PACKAGE = join(import.meta.dirname, "../node_modules/@yowasp/clang/gen");

/** What clang's driver hands to its front end for C on WASI; the driver itself would start processes. */
const FRONT_END = [
  ...["-cc1", "-triple", "wasm32-unknown-wasip1", "-emit-obj", "-mrelocation-model", "static"],
  ...["-mframe-pointer=none", "-target-cpu", "generic", "-fvisibility=hidden"],
  ...["-resource-dir", "/usr", "-isysroot", "/usr", "-internal-isystem", "/usr/include"],
  ...["-internal-isystem", "/usr/include/wasm32-wasip1", "-fgnuc-version=4.2.1"],
];

const LIBRARY = "/usr/lib/wasm32-wasip1";
const BUILTINS = "/usr/lib/wasm32-unknown-wasip1/libclang_rt.builtins.a";

export interface Toolchain {
  /** Compiles `/src/<source>` to `/out/<object>`; `flags` are the front end's. */
  compile(source: string, object: string, flags: readonly string[]): Promise<void>;
  /** Links objects of `/out` to `/out/<program>`. */
  link(objects: readonly string[], program: string): Promise<void>;
}

/**
 * @param folder scratch; manifests and the unpacked headers and libraries go here
 * @param source read only as `/src`
 * @param out read and written as `/out`; it comes back after each step
 */
export async function createToolchain(
  folder: string,
  source: string,
  out: string,
): Promise<Toolchain> {
  const resources = join(folder, "usr");
  await mkdir(resources);
  const unpacked = await execute("tar", [
    ...["-xf", join(PACKAGE, "llvm-resources.tar")],
    ...["-C", resources, "--no-same-owner"],
  ]);
  assert.equal(unpacked.code, 0, unpacked.stderr);
  const mounts = [
    { guest: "/usr", host: resources },
    { guest: "/src", host: source },
    { guest: "/out", host: out, writable: true },
  ];
  const run = async (args: readonly string[]): Promise<void> => {
    const file = join(PACKAGE, "llvm.core.wasm");
    assertQuiet(await runManifest(folder, { file, name: "llvm", args, mounts }));
  };
  return {
    compile: (source, object, flags) =>
      run(["clang", ...FRONT_END, ...flags, "-o", `/out/${object}`, "-x", "c", `/src/${source}`]),
    link: (objects, program) =>
      run([
        ...["wasm-ld", "-m", "wasm32", "-z", "stack-size=1048576", "--strip-all", `-L${LIBRARY}`],
        ...[`${LIBRARY}/crt1-command.o`, ...objects.map((object) => `/out/${object}`)],
        ...["-lc", BUILTINS, "-o", `/out/${program}`],
      ]),
  };
}

/** A compiler that went wrong says so on stderr; its whole text belongs into the failure. */
function assertQuiet(finished: Finished): void {
  assert.equal(finished.code, 0, finished.stderr);
  assert.equal(finished.stdout, "");
}
