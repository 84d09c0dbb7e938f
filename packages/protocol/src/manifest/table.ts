/** The one table of `donjon.toml`: every key, what it may be and what holds without it. */
import { MAX_SECRETS } from "../limits.ts";
import {
  DEFAULT_DESCRIPTORS,
  DEFAULT_FILES_BYTES,
  DEFAULT_MEMORY_BYTES,
  DEFAULT_THREADS,
  MAX_ARGS,
  MAX_CERTIFICATE_NAMES,
  MAX_DESCRIPTORS,
  MAX_FILES_BYTES,
  MAX_GUEST_PATH,
  MAX_MEMORY_BYTES,
  MAX_MOUNTS,
  MAX_NAME,
  MAX_OUTPUT_BYTES,
  MAX_SOCKETS,
  MAX_TEXT,
  MAX_THREADS,
  MAX_TIME_MS,
  MAX_VARIABLES,
} from "./limits.ts";
import type { Checked } from "./shape.ts";

const sha256 = {
  type: "string",
  pattern: /^[0-9a-f]{64}$/,
  wanted: "a SHA-256 as 64 lower-case hexadecimal digits",
  maxLength: 64,
} as const;

export const text = {
  type: "string",
  pattern: /^[^\0]*$/,
  wanted: "a text without NUL",
  maxLength: MAX_TEXT,
} as const;

/** Joined by `:` in `FD_NAMES`, so a colon cannot be part of it. */
export const descriptorName = {
  type: "string",
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses.
  pattern: /^[^:\u0000-\u001f\u007f]+$/,
  wanted: "a name without ':' and control characters",
  maxLength: MAX_NAME,
} as const;

/** Part of the authority `listen:<name>` at the gate. */
export const listenerName = {
  type: "string",
  pattern: /^[A-Za-z0-9._-]+$/,
  wanted: "a name of letters, digits, '.', '_' and '-'",
  maxLength: MAX_NAME,
} as const;

export const protocol = {
  type: "string",
  choices: ["tcp", "tls"],
  maxLength: 3,
  doc: "tls: Donjon does TLS inside the Keep, and the program sees plain bytes",
} as const;

export const port = { type: "integer", min: 1, max: 65_535 } as const;

export const host = {
  type: "string",
  pattern: /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\.?$|^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$/,
  wanted: "a host name or an IP address",
  maxLength: 253,
} as const;

const address = {
  type: "string",
  pattern: /^(\d{1,3}(\.\d{1,3}){3}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*|localhost)$/,
  wanted: "an IP address, or 'localhost'",
  maxLength: 64,
  fallback: "127.0.0.1",
  doc: "the address that the host binds; '::' for all",
} as const;

const guestPath = {
  type: "string",
  // FD_NAMES holds the names of directories, joined by a colon.
  pattern: /^\/$|^(\/(?!\.{1,2}(\/|$))[^/:\0]+)+$/,
  wanted: "an absolute path without ':', '.', '..', '//' and a trailing '/'",
  maxLength: MAX_GUEST_PATH,
} as const;

export const variable = {
  type: "string",
  pattern: /^[^=\0]+$/,
  wanted: "a name without '=' and NUL",
  maxLength: MAX_NAME,
} as const;

/** RFC 9525, section 6.3: letters, digits and hyphens; `*` only as the whole first label. */
const dnsName = {
  type: "string",
  pattern:
    /^(\*\.)?[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/,
  wanted: "a DNS name, such as 'api.example' or '*.example'",
  maxLength: 253,
} as const;

const tlsFields = {
  certificate: {
    ...variable,
    doc: "tls: the secret that holds the certificate chain, PEM; the Keep makes one with evidence in it when not given",
  },
  key: { ...variable, doc: "tls: the secret that holds the certificate's private key, PEM" },
  names: {
    type: "list",
    of: dnsName,
    maxItems: MAX_CERTIFICATE_NAMES,
    doc: "tls: DNS names in the certificate that the Keep makes, beside 'localhost'",
  },
  attestation: {
    type: "boolean",
    doc: "tls: the Keep answers GET /.well-known/donjon/attestation?nonce=<64 hex digits>, so the client has to speak first",
  },
} as const;

export const TLS_FIELDS = Object.keys(tlsFields) as (keyof typeof tlsFields)[];

const listenFields = {
  name: { ...listenerName, required: true },
  protocol: { ...protocol, required: true },
  address,
  port: { ...port, required: true },
  ...tlsFields,
} as const;

const connectFields = {
  name: { ...descriptorName, required: true },
  protocol: { ...protocol, required: true },
  host: { ...host, required: true },
  port: { ...port, required: true },
} as const;

const standardFields = { name: descriptorName } as const;

const standard = {
  type: "string",
  choices: ["host", "null"],
  maxLength: 4,
  fallback: "host",
  doc: "host: the owner's own stream, inside the session; null: reads end at once, writes go nowhere",
} as const;

export const MANIFEST_TABLE = {
  type: "table",
  doc: "What a workload in a Keep gets; what is not here is denied",
  fields: {
    workload: {
      type: "table",
      doc: "The program",
      fields: {
        file: { ...text, doc: "path of the .wasm file, relative to this file" },
        sha256: { ...sha256, doc: "digest of the module; filled in at delivery when not given" },
        name: { ...text, doc: "the program's own name, args[0]; the file's name when not given" },
      },
    },
    args: { type: "list", of: text, maxItems: MAX_ARGS, doc: "arguments after the program's name" },
    env: {
      type: "map",
      key: variable,
      of: text,
      maxItems: MAX_VARIABLES,
      doc: "environment variables; nothing of the host's environment is passed",
    },
    stdio: {
      type: "table",
      doc: "descriptors 0, 1 and 2",
      fields: { stdin: standard, stdout: standard, stderr: standard },
    },
    listeners: {
      type: "list",
      maxItems: MAX_SOCKETS,
      of: { type: "table", fields: listenFields },
      doc: "sockets that the program may accept on; descriptors after the directories, in order",
    },
    connections: {
      type: "list",
      maxItems: MAX_SOCKETS,
      of: { type: "table", fields: connectFields },
      doc: "connections open at start; descriptors after the listeners, in order",
    },
    descriptors: {
      type: "list",
      maxItems: MAX_SOCKETS,
      of: {
        type: "variant",
        kinds: {
          null: { type: "table", fields: standardFields },
          stdin: { type: "table", fields: standardFields },
          stdout: { type: "table", fields: standardFields },
          stderr: { type: "table", fields: standardFields },
          listen: { type: "table", fields: listenFields },
          connect: { type: "table", fields: connectFields },
        },
      },
      doc: "the descriptor table from 0 without directories, instead of stdio, listeners and connections",
    },
    mounts: {
      type: "list",
      maxItems: MAX_MOUNTS,
      of: {
        type: "variant",
        kinds: {
          memory: {
            type: "table",
            doc: "a scratch directory, empty at start, gone at exit",
            fields: { guest: { ...guestPath, required: true } },
          },
          packed: {
            type: "table",
            doc: "a directory that the owner sends",
            fields: {
              guest: { ...guestPath, required: true },
              host: { ...text, doc: "path of the directory, relative to this file" },
              writable: {
                type: "boolean",
                fallback: false,
                doc: "what changed comes back at exit, all or nothing",
              },
              sha256: { ...sha256, doc: "digest of the packed tree; filled in when not given" },
            },
          },
        },
        reserved: {
          sealed: "is reserved for encrypted storage and not there yet; use 'packed' or 'memory'",
        },
      },
      doc: "directories; descriptors from 3, in order",
    },
    secrets: {
      type: "list",
      maxItems: MAX_SECRETS,
      of: {
        type: "table",
        fields: {
          name: { ...variable, required: true, doc: "under this name the owner gives the value" },
          env: {
            ...variable,
            doc: "the variable that holds the value; 'name' when nothing is said and no listener uses it",
          },
          file: { ...guestPath, doc: "the read-only file that holds the value, instead" },
        },
      },
      doc: "names of secrets; their values travel apart and are in no digest",
    },
    limits: {
      type: "table",
      fields: {
        memory: {
          type: "size",
          min: 65_536,
          max: MAX_MEMORY_BYTES,
          fallback: DEFAULT_MEMORY_BYTES,
        },
        files: { type: "size", min: 0, max: MAX_FILES_BYTES, fallback: DEFAULT_FILES_BYTES },
        time: {
          type: "duration",
          max: MAX_TIME_MS,
          doc: "from start to exit; no limit when not given",
        },
        descriptors: {
          type: "integer",
          min: 3,
          max: MAX_DESCRIPTORS,
          fallback: DEFAULT_DESCRIPTORS,
        },
        threads: { type: "integer", min: 1, max: MAX_THREADS, fallback: DEFAULT_THREADS },
        output: {
          type: "size",
          min: 0,
          max: MAX_OUTPUT_BYTES,
          doc: "stdout and stderr together; no limit when not given",
        },
      },
    },
    sessions: {
      type: "table",
      doc: "sessions of others than the owner",
      fields: {
        attest: {
          type: "string",
          choices: ["anyone", "owner"],
          maxLength: 6,
          fallback: "anyone",
          doc: "who may ask the running Keep for evidence, and so learn the digests of manifest and workload",
        },
      },
    },
  },
} as const;

export type ManifestToml = Checked<typeof MANIFEST_TABLE>;
export type DescriptorToml = NonNullable<ManifestToml["descriptors"]>[number];
export type ListenToml = NonNullable<ManifestToml["listeners"]>[number];
