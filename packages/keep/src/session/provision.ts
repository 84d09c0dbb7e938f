/** What was provisioned, checked against its manifest, as the engine room wants it. */
import { DonjonError } from "@donjon/core/errors";
import { listDirectories, splitSecretPath } from "@donjon/protocol/manifest/descriptor-table";
import type {
  ConnectDescriptor,
  Manifest,
  ManifestDescriptor,
} from "@donjon/protocol/manifest/manifest";
import { readManifest } from "@donjon/protocol/manifest/read-manifest";
import type { ProvisionMessage } from "@donjon/protocol/session/client-message";
import type { DescriptorSpec, MountSpec, WorkloadSpec } from "../runtime/workload.ts";

/** Everything that came up, whole and equal to what the manifest says. */
export interface Provisioned {
  readonly manifest: Manifest;
  /** SHA-256 of the manifest's bytes, lower-case hex. */
  readonly manifestDigest: string;
  readonly module: Uint8Array;
  readonly secrets: ReadonlyMap<string, Uint8Array>;
  readonly trees: ReadonlyMap<string, Uint8Array>;
  /** Which of stdin, stdout and stderr the owner says are terminals. */
  readonly terminals: ProvisionMessage["terminals"];
  /** Whether the workload outlives the session. */
  readonly detached: boolean;
  /** The owner's clock, milliseconds since 1970. */
  readonly timeMs: number;
}

/** Gathers the parts of an upload; all are checked when the manifest has come, which follows what it names. */
export class ProvisionBuilder {
  readonly #message: ProvisionMessage;
  readonly #onModule: (module: Uint8Array) => void;
  #manifest: Manifest | null = null;
  #manifestDigest = "";
  #module: Uint8Array = new Uint8Array(0);
  #moduleDigest = "";
  readonly #secrets = new Map<string, Uint8Array>();
  readonly #trees = new Map<string, Uint8Array>();
  readonly #treeDigests = new Map<string, string>();

  /** `onModule` gets the module when it has come, not checked yet. */
  constructor(message: ProvisionMessage, onModule: (module: Uint8Array) => void) {
    this.#message = message;
    this.#onModule = onModule;
  }

  /** Whether the workload is to outlive the session. */
  get detached(): boolean {
    return this.#message.detached;
  }

  /** Sizes of the parts, in the order of the upload channel. */
  get sizes(): readonly number[] {
    const { manifest, workload, secrets, trees } = this.#message;
    return [
      workload,
      ...trees.map(({ size }) => size),
      manifest,
      ...secrets.map(({ size }) => size),
    ];
  }

  /** Throws a `DonjonError` when the part is not what the manifest says. */
  addPart(index: number, bytes: Uint8Array, sha256: string): void {
    const { secrets, trees } = this.#message;
    const manifestIndex = 1 + trees.length;
    if (index === 0) this.#takeModule(bytes, sha256);
    else if (index < manifestIndex) this.#takeTree(trees[index - 1]!.guest, bytes, sha256);
    else if (index === manifestIndex) this.#takeManifest(bytes, sha256);
    else this.#secrets.set(secrets[index - manifestIndex - 1]!.name, bytes);
  }

  finish(): Provisioned {
    return {
      manifest: this.#manifest!,
      manifestDigest: this.#manifestDigest,
      module: this.#module,
      secrets: this.#secrets,
      trees: this.#trees,
      terminals: this.#message.terminals,
      detached: this.#message.detached,
      timeMs: this.#message.time,
    };
  }

  #takeModule(bytes: Uint8Array, sha256: string): void {
    this.#module = bytes;
    this.#moduleDigest = sha256;
    this.#onModule(bytes);
  }

  #takeTree(guest: string, bytes: Uint8Array, sha256: string): void {
    this.#trees.set(guest, bytes);
    this.#treeDigests.set(guest, sha256);
  }

  #takeManifest(bytes: Uint8Array, sha256: string): void {
    const manifest = readManifest(bytes);
    this.#manifest = manifest;
    this.#manifestDigest = sha256;
    checkNames(
      "secret",
      manifest.secrets.map(({ name }) => name),
      this.#message.secrets.map(({ name }) => name),
    );
    checkNames(
      "tree",
      manifest.mounts.filter(({ kind }) => kind === "packed").map(({ guest }) => guest),
      this.#message.trees.map(({ guest }) => guest),
    );
    checkDigest("the workload", this.#moduleDigest, manifest.workload.sha256);
    for (const [guest, found] of this.#treeDigests) {
      const mount = manifest.mounts.find((each) => each.guest === guest);
      checkDigest(`the tree for "${guest}"`, found, mount?.kind === "packed" ? mount.sha256 : null);
    }
  }
}

function checkDigest(what: string, found: string, wanted: string | null): void {
  if (found === wanted) return;
  throw new DonjonError(
    "manifest/digest",
    `${what} has the SHA-256 ${found}, but the manifest wants ${wanted ?? "none"}; put the right digest into the manifest or send the file it means`,
    { details: { found, wanted } },
  );
}

/** What the manifest names and what was sent must be the same set. */
function checkNames(what: string, wanted: readonly string[], sent: readonly string[]): void {
  const names = new Set(wanted);
  for (const name of sent) {
    if (names.delete(name)) continue;
    throw new DonjonError(
      "manifest/value",
      `the ${what} "${name}" was sent, but the manifest does not name it (or it came twice)`,
    );
  }
  for (const name of names) {
    throw new DonjonError(
      "manifest/value",
      `the manifest names the ${what} "${name}", but it was not sent; give it to the run`,
    );
  }
}

/** Streams of the manifest's connections by place in the descriptor table. */
export type OpenConnection = (
  descriptor: ConnectDescriptor,
) => Promise<DescriptorSpec & { kind: "connect" }>;

/** To be called once the workload has them: what was uploaded is not needed again. */
export function forgetSecrets({ secrets }: Provisioned): void {
  for (const value of secrets.values()) value.fill(0);
}

/** The engine room's order for a workload; opens the manifest's connections. `clockFloorNs` as in `WorkloadSpec`. */
export async function createWorkloadSpec(
  provisioned: Provisioned,
  clockFloorNs: bigint,
  open: OpenConnection,
): Promise<WorkloadSpec> {
  const { manifest, secrets, terminals } = provisioned;
  const env = new Map(manifest.env);
  for (const secret of manifest.secrets) {
    if (secret.kind !== "env") continue;
    env.set(secret.variable, decodeSecret(secret.name, secrets.get(secret.name)!));
  }
  const needsHost = manifest.descriptors.some(({ kind }) => kind === "connect");
  return {
    module: provisioned.module,
    args: manifest.args,
    env,
    descriptors: needsHost
      ? await Promise.all(manifest.descriptors.map((each) => openDescriptor(each, terminals, open)))
      : manifest.descriptors.map((each) => plainDescriptor(each, terminals)),
    mounts: listDirectories(manifest).map((guest) => fillDirectory(guest, provisioned)),
    limits: manifest.limits,
    clockFloorNs,
  };
}

function fillDirectory(guest: string, { manifest, secrets, trees }: Provisioned): MountSpec {
  const mount = manifest.mounts.find((each) => each.guest === guest);
  if (mount?.kind === "memory") return { kind: "memory", guest };
  if (mount?.kind === "packed") {
    return { kind: "packed", guest, writable: mount.writable, bytes: trees.get(guest)! };
  }
  const files = new Map<string, Uint8Array>();
  for (const secret of manifest.secrets) {
    if (secret.kind !== "file") continue;
    const { directory, name } = splitSecretPath(secret.path);
    if (directory === guest) files.set(name, secrets.get(secret.name)!);
  }
  return { kind: "secrets", guest, files };
}

function plainDescriptor(
  { kind, name }: ManifestDescriptor,
  terminals: Provisioned["terminals"],
): DescriptorSpec {
  if (kind === "connect") throw new TypeError("a connection needs its stream");
  if (kind === "null" || kind === "listen") return { kind, name };
  return { kind, name, terminal: terminals.includes(kind) };
}

function openDescriptor(
  descriptor: ManifestDescriptor,
  terminals: Provisioned["terminals"],
  open: OpenConnection,
): DescriptorSpec | Promise<DescriptorSpec> {
  return descriptor.kind === "connect" ? open(descriptor) : plainDescriptor(descriptor, terminals);
}

function decodeSecret(name: string, value: Uint8Array): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(value);
    if (!text.includes("\0")) return text;
  } catch {
    // falls through to the one message
  }
  throw new DonjonError(
    "manifest/value",
    `the secret "${name}" is to be an environment variable, but its value is not UTF-8 without NUL; give it as a file`,
  );
}
