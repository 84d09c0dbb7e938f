import type { ManifestDescriptor } from "./manifest.ts";

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
