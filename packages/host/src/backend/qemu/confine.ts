/** How QEMU is confined, and how it ends with the process that started it, even when that is killed. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { findBubblewrap } from "../sandbox.ts";

export interface Confinement {
  /** Words for `StartedKeep.sandbox`. */
  readonly describes: string;
  /** The command that starts `program`, which may read `files` and use `devices`. */
  wrap(program: readonly string[], files: readonly string[], devices: readonly string[]): string[];
}

const SETPRIV_PATHS = ["/usr/bin/setpriv", "/bin/setpriv"];
/** Where QEMU, its libraries and its firmware are. */
const SYSTEM_FOLDERS = ["/usr", "/lib", "/lib64"];

/** Tried once for the life of this process. */
let found: Confinement | null = null;

/** The best that this machine has: bubblewrap, setpriv, or nothing but the end of the gate's pipe. */
export function findConfinement(): Confinement {
  found ??= listConfinements()[0] ?? UNCONFINED;
  return found;
}

const UNCONFINED: Confinement = {
  describes: "QEMU's seccomp filter; install bubblewrap for more",
  wrap: (program) => [...program],
};

/** All that work here, the best first. Each ends what it wraps when the process that started it ends. */
export function listConfinements(): Confinement[] {
  const setpriv = SETPRIV_PATHS.find((path) => existsSync(path));
  const bubblewrap = findBubblewrap();
  return [
    ...(bubblewrap === null ? [] : [createBubblewrap(bubblewrap)].filter(doesWork)),
    ...(setpriv === undefined ? [] : [createSetpriv(setpriv)]),
  ];
}

/** bubblewrap may be there and not be allowed to make namespaces. */
function doesWork(confinement: Confinement): boolean {
  const [command, ...args] = confinement.wrap(["/usr/bin/env"], [], []);
  return spawnSync(command!, args, { stdio: "ignore", env: {} }).status === 0;
}

function createSetpriv(setpriv: string): Confinement {
  return {
    describes: UNCONFINED.describes,
    wrap: (program) => [setpriv, "--pdeathsig", "KILL", "--no-new-privs", "--", ...program],
  };
}

/** Sees its own program and firmware, the files of the image, and nothing else; no network, no other process. */
function createBubblewrap(bubblewrap: string): Confinement {
  const folders = SYSTEM_FOLDERS.filter((path) => existsSync(path));
  return {
    describes: "bubblewrap and QEMU's seccomp filter",
    wrap: (program, files, devices) => [
      bubblewrap,
      ...["--unshare-user", "--unshare-all", "--die-with-parent", "--new-session"],
      ...["--uid", "65534", "--gid", "65534", "--cap-drop", "ALL"],
      ...folders.flatMap((path) => ["--ro-bind", path, path]),
      ...[...new Set(files.map((path) => dirname(path)))].flatMap((path) => [
        "--ro-bind",
        path,
        path,
      ]),
      ...["--dev", "/dev"],
      ...devices.flatMap((path) => ["--dev-bind", path, path]),
      ...["--remount-ro", "/", "--chdir", "/", "--", ...program],
    ],
  };
}
