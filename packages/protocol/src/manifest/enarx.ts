/**
 * `Enarx.toml`, translated into the same result as `donjon.toml`, so that Enarx programs run
 * unchanged. The client translates and delivers the translation; a Keep never reads this format.
 *
 * Source: enarx-config of enarx 0.7.1. Top-level keys that it does not know are ignored there and
 * here; unknown keys inside an entry are errors there and here.
 */
import { checkShape } from "./check.ts";
import { parseDocument, readDocument } from "./document.ts";
import { DERIVED_VARIABLES, deriveDescriptorVariables } from "./environment.ts";
import { ManifestFault } from "./fault.ts";
import {
  DEFAULT_DESCRIPTORS,
  DEFAULT_FILES_BYTES,
  DEFAULT_MEMORY_BYTES,
  DEFAULT_THREADS,
  MAX_ARGS,
  MAX_SOCKETS,
  MAX_VARIABLES,
} from "./limits.ts";
import { locateFault } from "./locate.ts";
import type { Manifest, ManifestDescriptor, SocketProtocol } from "./manifest.ts";
import type { Checked } from "./shape.ts";
import { descriptorName, host, listenerName, port, protocol, text, variable } from "./table.ts";

const ENARX_TABLE = {
  type: "table",
  fields: {
    steward: text,
    args: { type: "list", of: text, maxItems: MAX_ARGS },
    env: { type: "map", key: variable, of: text, maxItems: MAX_VARIABLES },
    files: {
      type: "list",
      maxItems: MAX_SOCKETS,
      of: {
        type: "variant",
        kinds: {
          null: { type: "table", fields: { name: descriptorName } },
          stdin: { type: "table", fields: { name: descriptorName } },
          stdout: { type: "table", fields: { name: descriptorName } },
          stderr: { type: "table", fields: { name: descriptorName } },
          listen: {
            type: "table",
            fields: {
              name: { ...listenerName, required: true },
              prot: { ...protocol, required: true },
              addr: { ...host, fallback: "::" },
              port,
            },
          },
          connect: {
            type: "table",
            fields: {
              name: descriptorName,
              prot: { ...protocol, required: true },
              host: { ...host, required: true },
              port,
            },
          },
        },
      },
    },
  },
} as const;

type EnarxToml = Checked<typeof ENARX_TABLE>;
type EnarxFile = NonNullable<EnarxToml["files"]>[number];

const DEFAULT_PORT: Readonly<Record<SocketProtocol, number>> = { tls: 443, tcp: 80 };

export interface EnarxTranslation {
  /** A draft: an `Enarx.toml` names no workload. */
  readonly manifest: Manifest;
  /** Sentences on what was read and not used. */
  readonly notes: readonly string[];
}

/**
 * @throws DonjonError `manifest/syntax`, `manifest/unknown-key`, `manifest/value` (with line and
 *   column), `bytes/limit`
 */
export function parseEnarxManifest(
  bytes: Uint8Array,
  options: { readonly file?: string } = {},
): EnarxTranslation {
  const file = options.file ?? "Enarx.toml";
  const document = parseDocument(bytes, file);
  return readDocument(
    document,
    () => {
      const entries = Object.entries(document.root);
      const isKnown = (key: string) => Object.hasOwn(ENARX_TABLE.fields, key);
      const known = Object.fromEntries(entries.filter(([key]) => isKnown(key)));
      const toml = checkShape(known, ENARX_TABLE, []);
      const ignored = entries.filter(([key]) => !isKnown(key));
      const notes = ignored.map(
        ([key]) => `${file}: key '${key}' is not known to Enarx and ignored, as Enarx does`,
      );
      return { manifest: translate(toml, file, notes), notes };
    },
    locateFault,
  );
}

function translate(toml: EnarxToml, file: string, notes: string[]): Manifest {
  const descriptors = (toml.files ?? []).map(translateFile);
  checkListeners(descriptors);
  if (toml.files === undefined) {
    notes.push(
      `${file}: there is no 'files', so the program has no stdin, stdout and stderr, as with Enarx`,
    );
  }
  if (toml.steward !== undefined) {
    checkSteward(toml.steward);
    notes.push(
      `${file}: 'steward' is not used: a Keep proves itself to the client, and no other service vouches for it`,
    );
  }
  const env = new Map(deriveDescriptorVariables({ descriptors, mounts: [], secrets: [] }));
  for (const [name, value] of toml.env ?? []) {
    if (!DERIVED_VARIABLES.has(name)) env.set(name, value);
    else
      notes.push(
        `${file}: variable '${name}' is set from the descriptors, and the value in 'env' is not used`,
      );
  }
  return {
    workload: { file: null, sha256: null },
    args: ["main.wasm", ...(toml.args ?? [])],
    env,
    descriptors,
    mounts: [],
    secrets: [],
    limits: {
      memoryBytes: DEFAULT_MEMORY_BYTES,
      filesBytes: DEFAULT_FILES_BYTES,
      timeMs: null,
      descriptors: DEFAULT_DESCRIPTORS,
      threads: DEFAULT_THREADS,
      outputBytes: null,
    },
    sessions: { attest: "anyone" },
  };
}

function translateFile(file: EnarxFile): ManifestDescriptor {
  switch (file.kind) {
    case "listen": {
      const { name, prot, addr, port } = file;
      return {
        kind: "listen",
        name,
        protocol: prot,
        address: addr,
        port: port ?? DEFAULT_PORT[prot],
      };
    }
    case "connect": {
      const { name, prot, port } = file;
      // Enarx never asks a resolver for `localhost`: the host could answer with any address.
      const host = file.host === "localhost" ? "127.0.0.1" : file.host;
      return {
        kind: "connect",
        name: name ?? file.host,
        protocol: prot,
        host,
        port: port ?? DEFAULT_PORT[prot],
      };
    }
    default:
      return { kind: file.kind, name: file.name ?? file.kind };
  }
}

/** Enarx allows two listeners of one name; the gate routes by name and cannot. */
function checkListeners(descriptors: readonly ManifestDescriptor[]): void {
  descriptors.forEach(({ kind, name }, index) => {
    const first = descriptors.findIndex((other) => other.kind === "listen" && other.name === name);
    if (kind === "listen" && first !== index) {
      const message = `listener "${name}" is there twice; Donjon needs a name of its own for each`;
      throw new ManifestFault("manifest/value", message, ["files", index, "name"]);
    }
  });
}

function checkSteward(steward: string): void {
  if (!/^https:\/\/[^/]/i.test(steward)) {
    throw new ManifestFault(
      "manifest/value",
      "'steward' is not an https URL, and Enarx refuses others",
      ["steward"],
    );
  }
}
