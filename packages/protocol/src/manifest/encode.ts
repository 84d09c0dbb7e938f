import { DERIVED_VARIABLES, isExplicitTable } from "./environment.ts";
import {
  DEFAULT_DESCRIPTORS,
  DEFAULT_FILES_BYTES,
  DEFAULT_MEMORY_BYTES,
  DEFAULT_THREADS,
} from "./limits.ts";
import type { Manifest, ManifestMount, ManifestSecret } from "./manifest.ts";
import { formatDuration, formatSize } from "./units.ts";

/**
 * Writes a manifest as `donjon.toml`. `parseManifest` of the result equals `manifest`.
 * Deterministic, and only what differs from what holds anyway is written, so that it reads well.
 */
export function encodeManifest(manifest: Manifest): string {
  const { workload, limits } = manifest;
  const sections = [
    [
      ...(manifest.args.length > 1 ? [pair("args", manifest.args.slice(1))] : []),
      ...(isExplicitAndEmpty(manifest) ? ["descriptors = []"] : []),
    ],
    [
      "[workload]",
      ...optional("file", workload.file),
      ...optional("sha256", workload.sha256),
      pair("name", manifest.args[0]!),
    ],
    encodeEnvironment(manifest),
    ...encodeDescriptors(manifest),
    ...manifest.mounts.map(encodeMount),
    ...manifest.secrets.map(encodeSecret),
    heading("limits", [
      ...unless(limits.memoryBytes, DEFAULT_MEMORY_BYTES, "memory", formatSize),
      ...unless(limits.filesBytes, DEFAULT_FILES_BYTES, "files", formatSize),
      ...unless(limits.timeMs, null, "time", formatDuration),
      ...unless(limits.descriptors, DEFAULT_DESCRIPTORS, "descriptors", Number),
      ...unless(limits.threads, DEFAULT_THREADS, "threads", Number),
      ...unless(limits.outputBytes, null, "output", formatSize),
    ]),
    heading("sessions", manifest.sessions.attest === "owner" ? [pair("attest", "owner")] : []),
  ];
  const texts = sections
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join("\n")}\n`);
  return texts.join("\n");
}

function encodeEnvironment(manifest: Manifest): string[] {
  const own = [...manifest.env].filter(([name]) => !DERIVED_VARIABLES.has(name));
  return heading(
    "env",
    own.map(([name, value]) => pair(/^[A-Za-z0-9_-]+$/.test(name) ? name : quote(name), value)),
  );
}

function isExplicitAndEmpty(manifest: Manifest): boolean {
  return manifest.descriptors.length === 0;
}

/** The short form (stdio, listeners, connections) where it says the same. */
function encodeDescriptors(manifest: Manifest): string[][] {
  const { descriptors } = manifest;
  if (isExplicitTable(manifest)) {
    return descriptors.map((descriptor) => ["[[descriptors]]", ...encodeFields(descriptor)]);
  }
  const nulls = descriptors.slice(0, 3).filter(({ kind }) => kind === "null");
  return [
    heading(
      "stdio",
      nulls.map(({ name }) => pair(name, "null")),
    ),
    ...descriptors
      .slice(3)
      .map(({ kind, ...fields }) => [
        kind === "listen" ? "[[listeners]]" : "[[connections]]",
        ...encodeFields(fields),
      ]),
  ];
}

function encodeMount(mount: ManifestMount): string[] {
  const { host, sha256, ...fields } = { host: null, sha256: null, ...mount };
  return [
    "[[mounts]]",
    ...encodeFields(fields),
    ...optional("host", host),
    ...optional("sha256", sha256),
  ];
}

function encodeSecret(secret: ManifestSecret): string[] {
  const head = ["[[secrets]]", pair("name", secret.name)];
  if (secret.kind === "listener") return head;
  const place = secret.kind === "env" ? pair("env", secret.variable) : pair("file", secret.path);
  return [...head, place];
}

type Value = string | number | boolean | readonly string[];

function encodeFields(fields: object): string[] {
  return Object.entries(fields).map(([key, value]: [string, Value]) => pair(key, value));
}

function heading(name: string, lines: string[]): string[] {
  return lines.length === 0 ? [] : [`[${name}]`, ...lines];
}

function optional(key: string, value: string | null): string[] {
  return value === null ? [] : [pair(key, value)];
}

function unless<T extends number | null>(
  value: T,
  fallback: T,
  key: string,
  format: (value: NonNullable<T>) => Value,
): string[] {
  return value === null || value === fallback ? [] : [pair(key, format(value))];
}

function pair(key: string, value: Value): string {
  if (typeof value === "string") return `${key} = ${quote(value)}`;
  if (typeof value === "object") return `${key} = [${value.map(quote).join(", ")}]`;
  return `${key} = ${value}`;
}

/** JSON's escapes are TOML's as well; TOML also wants DEL escaped. */
function quote(text: string): string {
  return JSON.stringify(text).replaceAll("\u007f", "\\u007f");
}
