/** The files that a process Keep is started from: a built image, or the parts of this installation. */
import { realpathSync } from "node:fs";
import { join } from "node:path";
import { type ImageSource, searchImage } from "../image/find.ts";
import { ENGINE_PATH, listTree, RUNTIME_PATH, type TreeFile } from "../image/tree.ts";
import { readMappedLibraries } from "./libraries.ts";

export interface LaunchFiles {
  /** Absolute path of the engine; the host must run on the same version. */
  readonly engine: string;
  /** Absolute path of the bundled runtime, links followed: the permission model lets the engine read its program by that only. */
  readonly runtime: string;
  /** Files and folders that the sandbox shows, by their paths below its root. */
  readonly binds: readonly TreeFile[];
  readonly links: readonly { readonly path: string; readonly target: string }[];
  /** For people: which files these are. */
  readonly image: string;
  /** The files that the Keep sees in its sandbox. */
  listFiles(): TreeFile[];
  /** The files that it runs from where there is no sandbox: the machine's libraries, whatever the image has. */
  listBareFiles(): TreeFile[];
}

/** A built image where there is one that is up to date; this installation's engine and the machine's libraries otherwise. */
export function findLaunchFiles(source: ImageSource): LaunchFiles {
  const found = searchImage(source);
  if (found.image === null) return fromInstallation(source, found.why);
  const { tree, digest } = found.image;
  const engine = join(tree, ENGINE_PATH);
  const runtime = join(tree, RUNTIME_PATH);
  return {
    engine,
    runtime,
    binds: ["keep", "lib", "lib64"].map((path) => ({ path, source: join(tree, path) })),
    links: [],
    image: `built image ${digest}`,
    listFiles: () => listTree(tree),
    listBareFiles: () => listInstalled(engine, runtime),
  };
}

function fromInstallation({ engine, runtime: linked }: ImageSource, why: string): LaunchFiles {
  const runtime = realpathSync(linked);
  const binds = listInstalled(engine, runtime);
  return {
    engine,
    runtime,
    binds,
    // The places where the loaders of the distributions look.
    links: [
      { path: "lib64", target: "lib" },
      { path: "usr", target: "." },
    ],
    image: `this installation and the machine's C libraries (${why}; 'donjon image build' builds one)`,
    listFiles: () => binds,
    listBareFiles: () => binds,
  };
}

function listInstalled(engine: string, runtime: string): TreeFile[] {
  return [
    { path: ENGINE_PATH, source: engine },
    { path: RUNTIME_PATH, source: runtime },
    ...readMappedLibraries().map(({ soname, path }) => ({ path: `lib/${soname}`, source: path })),
  ];
}
