/** The flags of `run` that build or change a manifest. They follow the same rules as the file does. */
import { basename, resolve } from "node:path";
import { DonjonError } from "@donjon/core/errors";
import { encodeManifest } from "@donjon/protocol/manifest/encode";
import {
  DERIVED_VARIABLES,
  deriveEnvironment,
  isExplicitTable,
} from "@donjon/protocol/manifest/environment";
import type {
  Manifest,
  ManifestDescriptor,
  ManifestMount,
  SocketProtocol,
} from "@donjon/protocol/manifest/manifest";
import { parseManifest } from "@donjon/protocol/manifest/parse";
import { parseDuration, parseSize } from "@donjon/protocol/manifest/units";

export interface ManifestFlags {
  readonly env?: readonly string[];
  readonly dir?: readonly string[];
  readonly tmp?: boolean;
  readonly listen?: readonly string[];
  readonly connect?: readonly string[];
  readonly secret?: readonly string[];
  readonly memory?: string;
  readonly time?: string;
  readonly files?: string;
  readonly stdin?: string;
  readonly stdout?: string;
  readonly stderr?: string;
}

/** `--secret NAME`, `NAME=env`, `NAME=@file`. */
export interface SecretFlag {
  readonly name: string;
  /** `null`: the environment variable of the same name. */
  readonly file: string | null;
}

export interface AppliedFlags {
  readonly manifest: Manifest;
  /** Whether the manifest differs from the file's. */
  readonly changed: boolean;
  /** Directories on this machine by guest path, from `--dir`; they never enter the manifest. */
  readonly directories: ReadonlyMap<string, string>;
  readonly secrets: readonly SecretFlag[];
}

/** @throws DonjonError `usage` */
export function applyFlags(
  base: Manifest,
  flags: ManifestFlags,
  rest: readonly string[] | null,
): AppliedFlags {
  const dirs = (flags.dir ?? []).map(parseDir);
  const secrets = (flags.secret ?? []).map(parseSecret);
  const explicit = isExplicitTable(base);
  const own = new Map([...base.env].filter(([name]) => !DERIVED_VARIABLES.has(name)));
  for (const text of flags.env ?? []) own.set(...parseVariable(text));
  const grants = {
    descriptors: addDescriptors(base, flags),
    mounts: addMounts(base.mounts, dirs, flags.tmp ?? false),
    secrets: [
      ...base.secrets,
      ...secrets
        .filter(({ name }) => base.secrets.every((known) => known.name !== name))
        .map(({ name }) => ({ name, kind: "env", variable: name }) as const),
    ],
  };
  const wanted: Manifest = {
    ...base,
    args: rest === null ? base.args : [base.args[0]!, ...rest],
    ...grants,
    env: deriveEnvironment(grants, explicit, own),
    limits: {
      ...base.limits,
      ...(flags.memory === undefined ? {} : { memoryBytes: readSize("--memory", flags.memory) }),
      ...(flags.files === undefined ? {} : { filesBytes: readSize("--files", flags.files) }),
      ...(flags.time === undefined ? {} : { timeMs: readTime(flags.time) }),
    },
  };
  return {
    manifest: checkAgain(wanted),
    changed: encodeManifest(wanted) !== encodeManifest(base),
    directories: new Map(dirs.map(({ guest, host }) => [guest, host])),
    secrets,
  };
}

/** What the flags built has to pass the parser like any file. */
function checkAgain(manifest: Manifest): Manifest {
  const bytes = new TextEncoder().encode(encodeManifest(manifest));
  try {
    return parseManifest(bytes, { file: "flags", draft: true });
  } catch (cause) {
    const message = (cause as Error).message.replace(/^flags:\d+:\d+: /, "");
    throw new DonjonError("usage", `the flags do not make a manifest: ${message}`, { cause });
  }
}

function addDescriptors(base: Manifest, flags: ManifestFlags): ManifestDescriptor[] {
  const changed = base.descriptors.map((descriptor): ManifestDescriptor => {
    const { kind, name } = descriptor;
    const slot = kind === "null" ? name : kind;
    if (slot !== "stdin" && slot !== "stdout" && slot !== "stderr") return descriptor;
    const to = flags[slot];
    if (to === undefined) return descriptor;
    return { kind: to === "null" ? "null" : slot, name };
  });
  const listeners = (flags.listen ?? []).map(parseListen);
  const connections = (flags.connect ?? []).map(parseConnect);
  if (isExplicitTable(base)) return [...changed, ...listeners, ...connections];
  const first = changed.findIndex(({ kind }) => kind === "connect");
  const at = first === -1 ? changed.length : first;
  return [...changed.slice(0, at), ...listeners, ...changed.slice(at), ...connections];
}

function addMounts(
  base: readonly ManifestMount[],
  dirs: readonly DirFlag[],
  tmp: boolean,
): ManifestMount[] {
  const mounts = [...base];
  for (const { guest, writable } of dirs) {
    const index = mounts.findIndex((mount) => mount.guest === guest);
    const known = mounts[index];
    const mount: ManifestMount = { kind: "packed", guest, writable, sha256: null, host: null };
    if (known === undefined) mounts.push(mount);
    // The same mount from another directory: the grant, and a digest that pins it, stay as they are.
    else if (known.kind !== "packed" || known.writable !== writable) mounts[index] = mount;
  }
  if (tmp && mounts.every(({ guest }) => guest !== "/tmp"))
    mounts.push({ kind: "memory", guest: "/tmp" });
  return mounts;
}

export interface DirFlag {
  readonly host: string;
  readonly guest: string;
  readonly writable: boolean;
}

/** `host[:guest][:rw]`; without a guest path the directory's own name, and `/` for `.`. */
export function parseDir(text: string): DirFlag {
  const parts = text.split(":");
  const last = parts.at(-1);
  const writable = parts.length > 1 && last === "rw";
  if (parts.length > 1 && (writable || last === "ro")) parts.pop();
  const [host, guest] = parts;
  if (!host || parts.length > 2 || guest === "") throw misread("--dir", text, "host[:guest][:rw]");
  return { host, guest: guest ?? (host === "." ? "/" : `/${basename(resolve(host))}`), writable };
}

/** `name=[addr:]port[/tls]` */
export function parseListen(text: string): ManifestDescriptor {
  const match = /^([^=]+)=(?:(\[[^\]]+\]|[^:[\]]+):)?(\d+)(?:\/(tls|tcp))?$/.exec(text);
  if (!match) throw misread("--listen", text, "name=[addr:]port[/tls]");
  const [, name, address = "127.0.0.1", port, protocol = "tcp"] = match;
  return {
    kind: "listen",
    name: name!,
    address: unbracket(address),
    ...readSocket(port!, protocol),
  };
}

/** `name=host:port[/tls]` */
export function parseConnect(text: string): ManifestDescriptor {
  const match = /^([^=]+)=(\[[^\]]+\]|[^:[\]]+):(\d+)(?:\/(tls|tcp))?$/.exec(text);
  if (!match) throw misread("--connect", text, "name=host:port[/tls]");
  const [, name, host, port, protocol = "tcp"] = match;
  return { kind: "connect", name: name!, host: unbracket(host!), ...readSocket(port!, protocol) };
}

function readSocket(port: string, protocol: string): { port: number; protocol: SocketProtocol } {
  return { port: Number(port), protocol: protocol as SocketProtocol };
}

function unbracket(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}

function parseSecret(text: string): SecretFlag {
  const match = /^([^=]+)(?:=(env|@(.+)))?$/.exec(text);
  if (!match) throw misread("--secret", text, "NAME, NAME=env or NAME=@file");
  return { name: match[1]!, file: match[3] ?? null };
}

/** `K=V`, or `K` for the value it has here. */
function parseVariable(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  const value = process.env[text];
  if (at === 0 || value === undefined) {
    throw misread("--env", text, "NAME=value, or the name of a variable that is set here");
  }
  return [text, value];
}

function readSize(flag: string, text: string): number {
  const bytes = parseSize(text);
  if (bytes === null) throw misread(flag, text, 'a size such as "512 MiB" or 512MiB');
  return bytes;
}

function readTime(text: string): number {
  const ms = parseDuration(text);
  if (ms === null || ms < 1) throw misread("--time", text, 'a duration such as "30 s" or 500ms');
  return ms;
}

function misread(flag: string, found: string, wanted: string): DonjonError {
  return new DonjonError("usage", `${flag} is '${found}', and ${wanted} is wanted`);
}
