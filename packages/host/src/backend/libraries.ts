/** The C libraries that the engine needs, found without a start of `ldd`: this very process has them mapped. */
import { readFileSync } from "node:fs";

export interface SharedLibrary {
  /** The name that programs ask for (DT_SONAME). */
  readonly soname: string;
  /** Absolute path of the file, links followed. */
  readonly path: string;
}

/** Files of glibc before 2.34 carry the release instead of their soname. */
const OLD_GLIBC_SONAMES: Readonly<Record<string, string>> = {
  ld: "ld-linux-x86-64.so.2",
  libc: "libc.so.6",
  libdl: "libdl.so.2",
  libm: "libm.so.6",
  libpthread: "libpthread.so.0",
};

/** The libraries mapped by this process, which must run on the engine that the Keep will run on. */
export function readMappedLibraries(
  maps = readFileSync("/proc/self/maps", "latin1"),
): SharedLibrary[] {
  const found = new Map<string, SharedLibrary>();
  for (const [, path] of maps.matchAll(/ (\/\S+\.so[.0-9]*)$/gm)) {
    const soname = readSoname(path!);
    if (soname !== null) found.set(soname, { soname, path: path! });
  }
  return [...found.values()];
}

function readSoname(path: string): string | null {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const old = /^(ld|lib[a-z]+)-2\.\d+\.so$/.exec(name);
  if (old !== null) return OLD_GLIBC_SONAMES[old[1]!] ?? null;
  return /^.+?\.so(?:\.\d+)?/.exec(name)?.[0] ?? null;
}
