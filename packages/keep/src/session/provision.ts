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
import { hashSha256 } from "../node/digest.ts";
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

/** Gathers the parts of an upload; every check is made as early as its part allows. */
export class ProvisionBuilder {
  readonly #message: ProvisionMessage;
  #manifest: Manifest | null = null;
  #manifestDigest = "";
  #module: Uint8Array = new Uint8Array(0);
  readonly #secrets = new Map<string, Uint8Array>();
  readonly #trees = new Map<string, Uint8Array>();

  constructor(message: ProvisionMessage) {
    this.#message = message;
  }

  /** Whether the workload is to outlive the session. */
  get detached(): boolean {
    return this.#message.detached;
  }

  /** Sizes of the parts, in the order of the upload channel. */
  get sizes(): readonly number[] {
    const { manifest, workload, secrets, trees } = this.#message;
    return [
      manifest,
      workload,
      ...secrets.map(({ size }) => size),
      ...trees.map(({ size }) => size),
    ];
  }

  /** Throws a `DonjonError` when the part is not what the manifest says. */
  addPart(index: number, bytes: Uint8Array): void {
    const { secrets } = this.#message;
    if (index === 0) this.#takeManifest(bytes);
    else if (index === 1) this.#takeModule(bytes);
    else if (index < 2 + secrets.length) this.#secrets.set(secrets[index - 2]!.name, bytes);
    else this.#takeTree(index - 2 - secrets.length, bytes);
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

  #takeManifest(bytes: Uint8Array): void {
    const manifest = readManifest(bytes);
    this.#manifest = manifest;
    this.#manifestDigest = hashSha256(bytes);
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
  }

  #takeModule(bytes: Uint8Array): void {
    checkDigest("the workload", bytes, this.#manifest!.workload.sha256);
    this.#module = bytes;
  }

  #takeTree(index: number, bytes: Uint8Array): void {
    const { guest } = this.#message.trees[index]!;
    const mount = this.#manifest!.mounts.find((each) => each.guest === guest);
    checkDigest(`the tree for "${guest}"`, bytes, mount?.kind === "packed" ? mount.sha256 : null);
    this.#trees.set(guest, bytes);
  }
}

function checkDigest(what: string, bytes: Uint8Array, wanted: string | null): void {
  const found = hashSha256(bytes);
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
