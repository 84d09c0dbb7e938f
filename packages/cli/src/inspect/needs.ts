/** What a module's imports say about what it may ask for, and what a manifest would answer. */
import { listDescriptors } from "@donjon/protocol/manifest/descriptor-table";
import type { ListenDescriptor, Manifest } from "@donjon/protocol/manifest/manifest";
import type { ModuleOutline, OutlineImport } from "@donjon/wasi/module/outline";

export const WASI_MODULES: ReadonlySet<string> = new Set([
  "wasi_snapshot_preview1",
  "wasi_unstable",
]);

export interface Need {
  readonly what: string;
  /** Imported functions that show it. */
  readonly functions: readonly string[];
  /** What the manifest grants of it; `null`: nothing. */
  readonly granted: string | null;
}

interface Topic {
  readonly what: string;
  readonly pattern: RegExp;
  readonly grant: (manifest: Manifest) => string | null;
}

const always = () => "always there";

const TOPICS: readonly Topic[] = [
  {
    what: "arguments",
    pattern: /^args_/,
    grant: ({ args }) => args.map((arg) => JSON.stringify(arg)).join(" "),
  },
  {
    what: "environment",
    pattern: /^environ_/,
    grant: ({ env }) => [...env.keys()].join(", ") || null,
  },
  {
    what: "descriptors",
    pattern: /^fd_(read|write|pread|pwrite|seek|tell|close|fdstat|sync|datasync)/,
    grant: grantDescriptors,
  },
  {
    what: "files and directories",
    pattern: /^(path_|fd_(readdir|prestat|filestat|allocate|advise))/,
    grant: grantMounts,
  },
  { what: "sockets", pattern: /^sock_/, grant: grantSockets },
  { what: "waiting", pattern: /^poll_oneoff$/, grant: always },
  { what: "clocks", pattern: /^clock_/, grant: always },
  { what: "random numbers", pattern: /^random_/, grant: always },
  { what: "exit and yield", pattern: /^(proc_|sched_)/, grant: always },
];

export function listNeeds(outline: ModuleOutline, manifest: Manifest): Need[] {
  const names = outline.imports.filter(isWasi).map(({ name }) => name);
  const needs = TOPICS.flatMap(({ what, pattern, grant }): Need[] => {
    const functions = names.filter((name) => pattern.test(name));
    return functions.length === 0 ? [] : [{ what, functions, granted: grant(manifest) }];
  });
  const threads = outline.imports.filter(isThreadSpawn).map(({ name }) => name);
  if (threads.length > 0) {
    needs.push({
      what: "threads",
      functions: threads,
      granted: `at most ${manifest.limits.threads}`,
    });
  }
  return needs;
}

/** Imports that no Keep provides: with them, a module cannot run. */
export function listForeignImports(outline: ModuleOutline): OutlineImport[] {
  const isSharedMemory = ({ module, kind }: OutlineImport) => module === "env" && kind === "memory";
  return outline.imports.filter(
    (one) => !isWasi(one) && !isThreadSpawn(one) && !isSharedMemory(one),
  );
}

export function describeModuleKind(outline: ModuleOutline): string {
  const has = (name: string) =>
    outline.exports.some((one) => one.name === name && one.kind === "function");
  const wasi = outline.imports.find(isWasi)?.module;
  const face =
    wasi === undefined
      ? "no WASI imports"
      : wasi === "wasi_unstable"
        ? "WASI preview 0"
        : "WASI preview 1";
  if (has("_start")) return `command (${face})`;
  if (has("")) return `command with the entry '' (${face})`;
  if (has("_initialize")) return `reactor (${face})`;
  return `library without an entry point (${face})`;
}

function isWasi({ module }: OutlineImport): boolean {
  return WASI_MODULES.has(module);
}

function isThreadSpawn({ module, name }: OutlineImport): boolean {
  return module === "wasi" && name === "thread-spawn";
}

function grantDescriptors(manifest: Manifest): string | null {
  return (
    listDescriptors(manifest)
      .map(({ kind, name }, number) => `${number} ${kind === name ? name : `${name} (${kind})`}`)
      .join(", ") || null
  );
}

function grantMounts({ mounts, secrets }: Manifest): string | null {
  const directories = mounts.map((mount) => {
    if (mount.kind === "memory") return `${mount.guest} (in memory)`;
    return `${mount.guest} (${mount.writable ? "read-write" : "read-only"})`;
  });
  const files = secrets.flatMap((secret) =>
    secret.kind === "file" ? [`${secret.path} (secret)`] : [],
  );
  return [...directories, ...files].join(", ") || null;
}

function grantSockets({ descriptors }: Manifest): string | null {
  const sockets = descriptors.flatMap((one) => {
    if (one.kind === "listen")
      return [`listen ${one.name} on ${one.address} port ${one.port} (${describeTls(one)})`];
    if (one.kind === "connect")
      return [`connect ${one.name} to ${one.host} port ${one.port} (${one.protocol})`];
    return [];
  });
  return sockets.join(", ") || null;
}

function describeTls({ protocol, certificate, attestation }: ListenDescriptor): string {
  if (protocol !== "tls") return protocol;
  const source =
    certificate === undefined
      ? "certificate made by the Keep"
      : `certificate from "${certificate}"`;
  return `tls, ${source}${attestation ? ", answers for evidence" : ""}`;
}
