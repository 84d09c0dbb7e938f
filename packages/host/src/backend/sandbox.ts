/** How a process Keep is confined, as the command that starts it. */
import { existsSync, readFileSync } from "node:fs";
import type { LaunchFiles } from "./launch-files.ts";

/** The lane, inside the Keep as well. */
export const LANE_DESCRIPTOR = 5;
/** Descriptor on which bubblewrap reads the seccomp filter. */
export const FILTER_DESCRIPTOR = 7;

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

/** Tells the runtime that it has a lane (protocol README, gate). */
const LANE_ARGUMENT = "lane";

/** The line by which the launcher says that bubblewrap could not start the Keep. */
export const FALLBACK_LINE = "donjon: no bubblewrap";

/** Descriptor that the launcher keeps of its stdin, whose other end the host holds. */
const HOST_DESCRIPTOR = 6;
const CLOSE_PIPES = `3>&- 4>&- ${LANE_DESCRIPTOR}>&- ${FILTER_DESCRIPTOR}>&-`;
const WATCH_REDIRECTIONS = `<&${HOST_DESCRIPTOR} 2>/dev/null ${CLOSE_PIPES} ${HOST_DESCRIPTOR}<&-`;

/**
 * `$1` engine, `$2` runtime, `$3` setpriv, if any, then bubblewrap's command, if any. Exit status 1 is bubblewrap's own
 * failure, from before the engine ran (the Keep ends itself by a signal): then the engine runs without it, and the first
 * line on stderr says so. So the sandbox is tried by using it, and a try costs nothing where it works.
 *
 * The watch ends the whole process group when the host is gone, however it went: a Keep need not look at its pipes.
 * Nothing in the sandbox can see it. Where there is none, the Keep could kill it, and the kernel does the same by `setpriv`.
 *
 * A line from the host says that the Keep is up: then this shell lets go of the Keep's pipes, which it holds for an engine without
 * bubblewrap. Otherwise nobody would see the Keep close one of them. `$!` is the watch: it may signal before a variable had it.
 */
const LAUNCHER = `ulimit -c 0
engine=$1 runtime=$2 setpriv=$3; shift 3
unset PWD OLDPWD
exec ${HOST_DESCRIPTOR}<&0 </dev/null
if [ $# -gt 0 ]; then
  finish() { { wait $keep; s=$?; kill -9 $!; wait $!; } 2>/dev/null; }
  trap 'exec ${CLOSE_PIPES}; finish; exit $s' USR1
  "$@" ${HOST_DESCRIPTOR}<&- & keep=$!
  (read -r _ && kill -USR1 $$; read -r _; kill -9 0) ${WATCH_REDIRECTIONS} &
  finish
  if [ $s -ne 1 ]; then exit $s; fi
  if [ -n "$setpriv" ]; then "$setpriv" --pdeathsig KILL -- /bin/sh -c : || setpriv=; fi 2>/dev/null
fi
(while read -r _; do :; done; kill -9 0) ${WATCH_REDIRECTIONS} &
exec ${HOST_DESCRIPTOR}<&-
echo "${FALLBACK_LINE}" >&2
exec \${setpriv:+"$setpriv" --pdeathsig KILL --} "$engine" ${ENGINE_FLAGS.join(" ")} "$runtime" ${LANE_ARGUMENT} ${FILTER_DESCRIPTOR}>&-`;

const BUBBLEWRAP_PATHS = ["/usr/bin/bwrap", "/bin/bwrap", "/usr/local/bin/bwrap"];

export function findBubblewrap(exists: (path: string) => boolean = existsSync): string | null {
  return BUBBLEWRAP_PATHS.find((path) => exists(path)) ?? null;
}

const SETPRIV_PATHS = ["/usr/bin/setpriv", "/bin/setpriv"];

/** One that can end a program with its parent, which util-linux can since 2.33. Looked for in the file: trying it takes a millisecond. */
export function findSetpriv(): string | null {
  const path = SETPRIV_PATHS.find((each) => existsSync(each));
  if (path === undefined) return null;
  try {
    return readFileSync(path).includes("pdeathsig") ? path : null;
  } catch {
    return null;
  }
}

/** Program and arguments that start the Keep; `bubblewrap` `null`: with the permission model alone. */
export function createLaunch(files: LaunchFiles, bubblewrap: string | null): readonly string[] {
  const wrapped = bubblewrap === null ? [] : [bubblewrap, ...bubblewrapArguments(files)];
  // Where bubblewrap is, it is hardly ever needed: the launcher tries it then.
  const setpriv =
    bubblewrap === null ? findSetpriv() : SETPRIV_PATHS.find((path) => existsSync(path));
  return ["/bin/sh", "-c", LAUNCHER, "sh", files.engine, files.runtime, setpriv ?? "", ...wrapped];
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
    ...["--", "/keep/engine", ...SANDBOXED_ENGINE_FLAGS, "/keep/runtime.cjs", LANE_ARGUMENT],
  ];
}
