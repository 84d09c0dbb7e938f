/**
 * What a program finds at each descriptor number when it starts. The directories stand right behind the first
 * three, because wasi-libc looks for them from 3 on and stops at the first descriptor that is none; what comes
 * after them moves up (docs/decisions/0010-preview1-answers.md).
 */
import type { Manifest, ManifestDescriptor, ManifestSecret } from "./manifest.ts";

/** Descriptor of the first directory, and where there is none of the first listener or connection. */
export const FIRST_GRANTED = 3;

export type Grants = Pick<Manifest, "descriptors" | "mounts" | "secrets">;

/** A preopened directory; `name` is its guest path. */
export interface DirectoryEntry {
  readonly kind: "directory";
  readonly name: string;
}

/** Every descriptor; its index is its number. */
export function listDescriptors(grants: Grants): (ManifestDescriptor | DirectoryEntry)[] {
  const { descriptors } = grants;
  return [
    ...descriptors.slice(0, FIRST_GRANTED),
    ...listDirectories(grants).map((name) => ({ kind: "directory", name }) as const),
    ...descriptors.slice(FIRST_GRANTED),
  ];
}

/** Guest paths of the preopened directories: the mounts, then those of secret files by first mention. */
export function listDirectories({ mounts, secrets }: Omit<Grants, "descriptors">): string[] {
  const files = secrets.filter((secret) => secret.kind === "file");
  const directories = files.map(({ path }) => splitSecretPath(path).directory);
  return [...mounts.map(({ guest }) => guest), ...new Set(directories)];
}

/** The directory and the name in it of a secret that is a file. */
export function splitSecretPath(path: (ManifestSecret & { kind: "file" })["path"]): {
  readonly directory: string;
  readonly name: string;
} {
  const slash = path.lastIndexOf("/");
  return { directory: path.slice(0, slash) || "/", name: path.slice(slash + 1) };
}
