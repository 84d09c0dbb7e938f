/** How a process Keep is confined, as the command that starts it. */
import { existsSync } from "node:fs";
import { readMappedLibraries, type SharedLibrary } from "./libraries.ts";

export interface KeepImage {
  /** Absolute path of the pinned engine; the host must run on the same one. */
  readonly engine: string;
  /** Absolute path of the bundled runtime (`keep.cjs`). */
  readonly runtime: string;
}

/** Descriptor on which bubblewrap reads the seccomp filter. */
export const FILTER_DESCRIPTOR = 5;

/**
 * The engine's permission model on, workers allowed, nothing else: no file, no socket, no process, no native
 * addon, no inspector by signal, no code from strings.
 */
export const ENGINE_FLAGS = [
  "--permission",
  "--allow-worker",
  // From the start, because it must not change while any wasm is being compiled (docs/decisions/0020).
  "--no-wasm-deopt",
  "--no-warnings",
  "--disable-sigusr1",
  "--disallow-code-generation-from-strings",
  "--no-strip-types",
] as const;

/** The line by which the launcher says that bubblewrap could not start the Keep. */
export const FALLBACK_LINE = "donjon: no bubblewrap";

/**
 * `$1` engine, `$2` runtime, then bubblewrap's command, if any. Exit status 1 is bubblewrap's own failure, from before
 * the engine ran (the Keep ends itself by a signal): then the engine runs without it, and the first line
 * on stderr says so. So the sandbox is tried by using it, and a try costs nothing where it works.
 */
const LAUNCHER = `ulimit -c 0
engine=$1 runtime=$2; shift 2
unset PWD OLDPWD
if [ $# -gt 0 ]; then "$@"; s=$?; [ $s -eq 1 ] || exit $s; fi
echo "${FALLBACK_LINE}" >&2
exec "$engine" ${ENGINE_FLAGS.join(" ")} "$runtime"`;

const BUBBLEWRAP_PATHS = ["/usr/bin/bwrap", "/bin/bwrap", "/usr/local/bin/bwrap"];

export function findBubblewrap(): string | null {
  return BUBBLEWRAP_PATHS.find((path) => existsSync(path)) ?? null;
}

/** Program and arguments that start the Keep; `bubblewrap` `null`: with the permission model alone. */
export function createLaunch(image: KeepImage, bubblewrap: string | null): readonly string[] {
  const wrapped =
    bubblewrap === null ? [] : [bubblewrap, ...bubblewrapArguments(image, readMappedLibraries())];
  return ["/bin/sh", "-c", LAUNCHER, "sh", image.engine, image.runtime, ...wrapped];
}

/**
 * A root in memory that holds the engine, its C libraries and the runtime, read-only, and nothing else: no `/proc`, no
 * `/dev`, no `/tmp`. Every namespace is new and empty; the user is nobody, without capabilities.
 */
function bubblewrapArguments(image: KeepImage, libraries: readonly SharedLibrary[]): string[] {
  return [
    "--unshare-user",
    "--unshare-all",
    "--die-with-parent",
    "--new-session",
    ...["--uid", "65534", "--gid", "65534", "--cap-drop", "ALL"],
    ...["--ro-bind", image.engine, "/keep/engine", "--ro-bind", image.runtime, "/keep/runtime.cjs"],
    ...libraries.flatMap(({ soname, path }) => ["--ro-bind", path, `/lib/${soname}`]),
    // The places where the loaders of the distributions look.
    ...["--symlink", "lib", "/lib64", "--symlink", ".", "/usr"],
    ...["--remount-ro", "/", "--chdir", "/keep"],
    ...["--seccomp", String(FILTER_DESCRIPTOR)],
    ...["--", "/keep/engine", ...ENGINE_FLAGS, "/keep/runtime.cjs"],
  ];
}
