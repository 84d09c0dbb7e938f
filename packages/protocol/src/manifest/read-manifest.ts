import { checkShape } from "./check.ts";
import {
  FIRST_GRANTED,
  type Grants,
  listDirectories,
  splitSecretPath,
} from "./descriptor-table.ts";
import { parseDocument, readDocument } from "./document.ts";
import { DERIVED_VARIABLES, deriveEnvironment } from "./environment.ts";
import { type ExplainFault, explainFault, ManifestFault } from "./fault.ts";
import { checkListeners, listListenerSecrets, readListener } from "./listeners.ts";
import type {
  Manifest,
  ManifestDescriptor,
  ManifestMount,
  ManifestSecret,
  ParseManifestOptions,
} from "./manifest.ts";
import { type DescriptorToml, MANIFEST_TABLE, type ManifestToml } from "./table.ts";

/**
 * Reads a `donjon.toml`. What it does not name is denied, except stdio, which is the owner's own.
 *
 * @throws DonjonError as `parseManifest`; line and column only where `explain` finds them
 */
export function readManifest(
  bytes: Uint8Array,
  options: ParseManifestOptions = {},
  explain: ExplainFault = explainFault,
): Manifest {
  const document = parseDocument(bytes, options.file ?? "donjon.toml");
  const read = (root: unknown): Manifest => {
    const manifest = readTables(checkShape(root, MANIFEST_TABLE, []));
    if (!options.draft) requireDigests(manifest);
    return manifest;
  };
  return readDocument(document, read, explain);
}

function readTables(toml: ManifestToml): Manifest {
  const { workload, limits } = toml;
  const descriptors = toml.descriptors === undefined ? readSockets(toml) : readDescriptors(toml);
  checkListeners(toml, descriptors);
  const mounts = readMounts(toml);
  const secrets = readSecrets(toml, mounts, listListenerSecrets(descriptors));
  const grants = { descriptors, mounts, secrets };
  checkTable(grants);
  const file = workload?.file ?? null;
  return {
    workload: { file, sha256: workload?.sha256 ?? null },
    args: [workload?.name ?? readBaseName(file), ...(toml.args ?? [])],
    env: readEnvironment(toml, grants),
    ...grants,
    limits: readLimits(limits),
    sessions: { attest: toml.sessions?.attest === "owner" ? "owner" : "anyone" },
  };
}

/** Enarx's `args[0]`, where nothing else says one. */
function readBaseName(file: string | null): string {
  return file?.split("/").at(-1) || "main.wasm";
}

function readLimits(limits: ManifestToml["limits"]): Manifest["limits"] {
  const { memory, files, time, descriptors, threads, output } =
    limits ??
    (checkShape({}, MANIFEST_TABLE.fields.limits, ["limits"]) as NonNullable<typeof limits>);
  return {
    memoryBytes: memory,
    filesBytes: files,
    timeMs: time ?? null,
    descriptors,
    threads,
    outputBytes: output ?? null,
  };
}

/** stdio, listeners, connections, in this order. */
function readSockets(toml: ManifestToml): ManifestDescriptor[] {
  const names = ["stdin", "stdout", "stderr"] as const;
  return [
    ...names.map(
      (name) => ({ kind: toml.stdio?.[name] === "null" ? "null" : name, name }) as const,
    ),
    ...(toml.listeners ?? []).map(readListener),
    ...(toml.connections ?? []).map((connection) => ({ kind: "connect", ...connection }) as const),
  ];
}

function readDescriptors(toml: ManifestToml): ManifestDescriptor[] {
  for (const key of ["stdio", "listeners", "connections"] as const) {
    if (toml[key] !== undefined) {
      const message = `'${key}' and 'descriptors' exclude each other; 'descriptors' is the whole table`;
      throw new ManifestFault("manifest/value", message, [key], "key");
    }
  }
  return toml.descriptors!.map(readDescriptor);
}

function readDescriptor(descriptor: DescriptorToml): ManifestDescriptor {
  if (descriptor.kind === "listen") return readListener(descriptor);
  if (descriptor.kind === "connect") return descriptor;
  return { kind: descriptor.kind, name: descriptor.name ?? descriptor.kind };
}

/** Directories start at 3 (`listDescriptors`), so there must be something at 0, 1 and 2. */
function checkTable(grants: Grants): void {
  const [directory] = listDirectories(grants);
  if (directory === undefined || grants.descriptors.length >= FIRST_GRANTED) return;
  const message = `'descriptors' has ${grants.descriptors.length} entries, and the directory "${directory}" needs the first three; add { kind = "null" } for what is not there`;
  throw new ManifestFault("manifest/value", message, ["descriptors"], "key");
}

function readEnvironment(toml: ManifestToml, grants: Grants): Map<string, string> {
  for (const name of toml.env?.keys() ?? []) {
    if (DERIVED_VARIABLES.has(name)) {
      const message = `'${name}' is set by Donjon from the descriptors and cannot be given`;
      throw new ManifestFault("manifest/value", message, ["env", name], "key");
    }
  }
  return deriveEnvironment(grants, toml.descriptors !== undefined, toml.env ?? []);
}

function readMounts(toml: ManifestToml): ManifestMount[] {
  const seen = new Set<string>();
  return (toml.mounts ?? []).map((mount, index) => {
    if (seen.has(mount.guest)) {
      const message = `something is mounted on "${mount.guest}" already`;
      throw new ManifestFault("manifest/value", message, ["mounts", index, "guest"]);
    }
    seen.add(mount.guest);
    if (mount.kind === "memory") return mount;
    return { ...mount, sha256: mount.sha256 ?? null, host: mount.host ?? null };
  });
}

function readSecrets(
  toml: ManifestToml,
  mounts: readonly ManifestMount[],
  ofListeners: ReadonlySet<string>,
): ManifestSecret[] {
  const names = new Set<string>();
  const places = new Set<string>();
  return (toml.secrets ?? []).map(({ name, env, file }, index) => {
    const refuse = (key: string, message: string) =>
      new ManifestFault("manifest/value", message, ["secrets", index, key]);
    if (names.has(name)) throw refuse("name", `secret "${name}" is there twice`);
    names.add(name);
    if (env === undefined && file === undefined && ofListeners.has(name)) {
      return { name, kind: "listener" };
    }
    if (env !== undefined && file !== undefined) {
      throw refuse("file", "a secret is either a variable ('env') or a file ('file'), not both");
    }
    if (file !== undefined && (file === "/" || mounts.some(({ guest }) => isInside(file, guest)))) {
      throw refuse("file", `"${file}" lies in a mount; give the secret a directory of its own`);
    }
    const variable = env ?? name;
    if (file === undefined && (toml.env?.has(variable) || DERIVED_VARIABLES.has(variable))) {
      throw refuse(env === undefined ? "name" : "env", `variable '${variable}' is set already`);
    }
    const place = file ?? `=${variable}`;
    if (places.has(place))
      throw refuse(
        file === undefined ? "env" : "file",
        `'${file ?? variable}' is taken by another secret`,
      );
    places.add(place);
    return file === undefined
      ? { name, kind: "env", variable }
      : { name, kind: "file", path: file };
  });
}

/**
 * A mount on `/` takes the paths that no other preopen is nearer to, so it holds no one else's but those
 * directly in it.
 */
function isInside(path: string, guest: string): boolean {
  if (guest === "/") return splitSecretPath(path).directory === "/";
  return path === guest || path.startsWith(`${guest}/`);
}

function requireDigests(manifest: Manifest): void {
  if (manifest.workload.sha256 === null) throw lack(["workload"], "the workload");
  manifest.mounts.forEach((mount, index) => {
    if (mount.kind === "packed" && mount.sha256 === null) {
      throw lack(["mounts", index], `the tree on "${mount.guest}"`);
    }
  });
}

function lack(path: (string | number)[], what: string): ManifestFault {
  const message = `the digest ('sha256') of ${what} is missing; a Keep runs only what its manifest pins`;
  return new ManifestFault("manifest/digest", message, path, "key");
}
