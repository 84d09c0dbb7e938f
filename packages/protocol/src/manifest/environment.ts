import {
  FIRST_GRANTED,
  type Grants,
  listDescriptors,
  listDirectories,
} from "./descriptor-table.ts";
import type { Manifest, ManifestDescriptor } from "./manifest.ts";

/** Names that Donjon sets itself: Enarx's, and those of systemd's socket activation (sd_listen_fds(3)). */
export const DERIVED_VARIABLES: ReadonlySet<string> = new Set([
  "FD_COUNT",
  "FD_NAMES",
  "LISTEN_FDS",
  "LISTEN_FDNAMES",
]);

/** `FD_COUNT` and `FD_NAMES`, as Enarx sets them: all descriptors from 0, names joined by `:`. */
export function deriveDescriptorVariables(grants: Grants): [string, string][] {
  const table = listDescriptors(grants);
  return [
    ["FD_COUNT", `${table.length}`],
    ["FD_NAMES", table.map(({ name }) => name).join(":")],
  ];
}

/**
 * `LISTEN_FDS` and `LISTEN_FDNAMES`, which promise that the listeners start at descriptor 3: they are not set
 * where directories stand before them.
 */
export function deriveListenVariables(grants: Grants): [string, string][] {
  if (listDirectories(grants).length > 0) return [];
  const names = grants.descriptors
    .slice(FIRST_GRANTED)
    .filter(({ kind }) => kind === "listen")
    .map(({ name }) => name);
  if (names.length === 0) return [];
  return [
    ["LISTEN_FDS", `${names.length}`],
    ["LISTEN_FDNAMES", names.join(":")],
  ];
}

/**
 * The complete environment of a workload: what follows from its descriptors, then its own variables.
 *
 * @param explicit the descriptor table was written out as a whole, as `files` of Enarx is
 */
export function deriveEnvironment(
  grants: Grants,
  explicit: boolean,
  own: Iterable<readonly [string, string]>,
): Map<string, string> {
  // A program without sockets sees its own variables only, as it would outside.
  const named = explicit || grants.descriptors.length > FIRST_GRANTED;
  return new Map([
    ...(named ? deriveDescriptorVariables(grants) : []),
    ...(explicit ? [] : deriveListenVariables(grants)),
    ...own,
  ]);
}

/** Whether the descriptor table was written out as a whole; shows in the variables that follow from it. */
export function isExplicitTable({ env, ...grants }: Manifest): boolean {
  const { descriptors } = grants;
  if (!isShort(descriptors) || env.has("FD_COUNT") !== descriptors.length > FIRST_GRANTED) {
    return true;
  }
  return deriveListenVariables(grants).length > 0 && !env.has("LISTEN_FDS");
}

/** Whether stdio, listeners, connections in this order say the same. */
function isShort(descriptors: readonly ManifestDescriptor[]): boolean {
  const rank = { null: 0, stdin: 0, stdout: 0, stderr: 0, listen: 1, connect: 2 };
  const sockets = descriptors.slice(FIRST_GRANTED).map(({ kind }) => rank[kind]);
  return (
    ["stdin", "stdout", "stderr"].every((name, number) => {
      const descriptor = descriptors[number];
      return descriptor?.name === name && (descriptor.kind === name || descriptor.kind === "null");
    }) && sockets.every((place, index) => place > 0 && place >= (sockets[index - 1] ?? 1))
  );
}
