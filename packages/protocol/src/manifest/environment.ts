import type { Manifest, ManifestDescriptor } from "./manifest.ts";

/** Names that Donjon sets itself: Enarx's, and those of systemd's socket activation (sd_listen_fds(3)). */
export const DERIVED_VARIABLES: ReadonlySet<string> = new Set([
  "FD_COUNT",
  "FD_NAMES",
  "LISTEN_FDS",
  "LISTEN_FDNAMES",
]);

/** Descriptor of the first listener by convention. */
const LISTEN_FDS_START = 3;

/** `FD_COUNT` and `FD_NAMES`, as Enarx sets them: descriptors without preopens, names joined by `:`. */
export function deriveDescriptorVariables(
  descriptors: readonly ManifestDescriptor[],
): [string, string][] {
  return [
    ["FD_COUNT", `${descriptors.length}`],
    ["FD_NAMES", descriptors.map(({ name }) => name).join(":")],
  ];
}

/** `LISTEN_FDS` and `LISTEN_FDNAMES` for the listeners that stand from descriptor 3 on. */
export function deriveListenVariables(
  descriptors: readonly ManifestDescriptor[],
): [string, string][] {
  const names = descriptors
    .slice(LISTEN_FDS_START)
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
  descriptors: readonly ManifestDescriptor[],
  explicit: boolean,
  own: Iterable<readonly [string, string]>,
): Map<string, string> {
  // A program with stdio alone sees its own variables only, as it would outside.
  const named = explicit || descriptors.length > LISTEN_FDS_START;
  return new Map([
    ...(named ? deriveDescriptorVariables(descriptors) : []),
    ...(explicit ? [] : deriveListenVariables(descriptors)),
    ...own,
  ]);
}

/** Whether the descriptor table was written out as a whole; shows in the variables that follow from it. */
export function isExplicitTable({ descriptors, env }: Manifest): boolean {
  if (!isShort(descriptors) || env.has("FD_COUNT") !== descriptors.length > LISTEN_FDS_START) {
    return true;
  }
  return descriptors.some(({ kind }) => kind === "listen") && !env.has("LISTEN_FDS");
}

/** Whether stdio, listeners, connections in this order say the same. */
function isShort(descriptors: readonly ManifestDescriptor[]): boolean {
  const rank = { null: 0, stdin: 0, stdout: 0, stderr: 0, listen: 1, connect: 2 };
  const sockets = descriptors.slice(LISTEN_FDS_START).map(({ kind }) => rank[kind]);
  return (
    ["stdin", "stdout", "stderr"].every((name, number) => {
      const descriptor = descriptors[number];
      return descriptor?.name === name && (descriptor.kind === name || descriptor.kind === "null");
    }) && sockets.every((place, index) => place > 0 && place >= (sockets[index - 1] ?? 1))
  );
}
