/** How a process Keep is confined, as the command that starts it. */
import { existsSync } from "node:fs";
import type { LaunchFiles } from "./launch-files.ts";

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

/**
 * Only the image itself, so that the Keep can say its digest: nothing in there is secret, nothing can be written.
 * One pattern for `/lib` and `/lib64`: of two folders where one name begins the other, the engine (26.10) forgets the first.
 */
export const SANDBOXED_ENGINE_FLAGS = [
  ...ENGINE_FLAGS,
  "--allow-fs-read=/keep/*",
  "--allow-fs-read=/lib*",
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

export function findBubblewrap(exists: (path: string) => boolean = existsSync): string | null {
  return BUBBLEWRAP_PATHS.find((path) => exists(path)) ?? null;
}

/** Program and arguments that start the Keep; `bubblewrap` `null`: with the permission model alone. */
export function createLaunch(files: LaunchFiles, bubblewrap: string | null): readonly string[] {
  const wrapped = bubblewrap === null ? [] : [bubblewrap, ...bubblewrapArguments(files)];
  return ["/bin/sh", "-c", LAUNCHER, "sh", files.engine, files.runtime, ...wrapped];
}

/**
 * A root in memory that holds the image's tree, read-only, and nothing else: no `/proc`, no `/dev`, no `/tmp`. Every
 * namespace is new and empty; the user is nobody, without capabilities.
 */
function bubblewrapArguments({ binds, links }: LaunchFiles): string[] {
  return [
    "--unshare-user",
    "--unshare-all",
    "--die-with-parent",
    "--new-session",
    ...["--uid", "65534", "--gid", "65534", "--cap-drop", "ALL"],
    ...binds.flatMap(({ path, source }) => ["--ro-bind", source, `/${path}`]),
    ...links.flatMap(({ path, target }) => ["--symlink", target, `/${path}`]),
    ...["--remount-ro", "/", "--chdir", "/keep"],
    ...["--seccomp", String(FILTER_DESCRIPTOR)],
    ...["--", "/keep/engine", ...SANDBOXED_ENGINE_FLAGS, "/keep/runtime.cjs"],
  ];
}
