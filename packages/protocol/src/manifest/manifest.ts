/**
 * What a manifest says, after parsing: everything that a workload gets, and nothing that it does not
 * (docs/manifest.md). The identity of a manifest is the SHA-256 of its bytes as delivered, never of
 * a re-serialisation, so nothing here goes back into a digest.
 */

/** One descriptor of the workload that is no directory; `listDescriptors` tells its number. */
export type ManifestDescriptor =
  | { readonly kind: "null" | "stdin" | "stdout" | "stderr"; readonly name: string }
  | ListenDescriptor
  | ConnectDescriptor;

export type SocketProtocol = "tcp" | "tls";

export interface ListenDescriptor {
  readonly kind: "listen";
  /** Unique among the listeners of a manifest: the gate routes by it (`listen:<name>`). */
  readonly name: string;
  readonly protocol: SocketProtocol;
  /** Address the host binds; the Keep never sees it. */
  readonly address: string;
  readonly port: number;
  /** Names of the secrets that hold the chain and its key, in PEM; without them the Keep makes a certificate itself. */
  readonly certificate?: string;
  readonly key?: string;
  /** DNS names in the certificate that the Keep makes, beside `localhost`. */
  readonly names?: readonly string[];
  /** Whether the Keep answers requests for evidence on this listener. */
  readonly attestation?: boolean;
}

export interface ConnectDescriptor {
  readonly kind: "connect";
  readonly name: string;
  readonly protocol: SocketProtocol;
  readonly host: string;
  readonly port: number;
}

export type ManifestMount =
  | { readonly kind: "memory" /** Absolute guest path. */; readonly guest: string }
  | PackedMount;

/** A tree that the owner sends inside the session. */
export interface PackedMount {
  readonly kind: "packed";
  /** Absolute guest path. */
  readonly guest: string;
  /** What changed goes back to the owner at exit. */
  readonly writable: boolean;
  /** SHA-256 of the packed tree, lower-case hex; `null` only in a draft. */
  readonly sha256: string | null;
  /** Directory on the owner's side, relative to the manifest; a hint for the client, `null` when not said. */
  readonly host: string | null;
}

/** A secret by name; its value travels apart and is never part of a manifest. */
export type ManifestSecret =
  | { readonly name: string; readonly kind: "listener" /** The workload never sees it. */ }
  | { readonly name: string; readonly kind: "env"; readonly variable: string }
  | {
      readonly name: string;
      readonly kind: "file" /** Absolute guest path, read-only. */;
      readonly path: string;
    };

/** The same names and units as `WorkloadLimits` of the engine room. */
export interface ManifestLimits {
  readonly memoryBytes: number;
  readonly filesBytes: number;
  readonly timeMs: number | null;
  readonly descriptors: number;
  readonly threads: number;
  readonly outputBytes: number | null;
}

export interface Manifest {
  readonly workload: {
    /** Path on the owner's side, relative to the manifest; a hint for the client, `null` when not said. */
    readonly file: string | null;
    /** SHA-256 of the module, lower-case hex; `null` only in a draft. */
    readonly sha256: string | null;
  };
  /** Complete: `args[0]` is the program's name. */
  readonly args: readonly string[];
  /** Complete, in order: `FD_COUNT` and the like first where they apply, then the manifest's own. Secrets are not in it. */
  readonly env: ReadonlyMap<string, string>;
  /** In the order of the descriptor table; preopened directories stand behind the first three. */
  readonly descriptors: readonly ManifestDescriptor[];
  readonly mounts: readonly ManifestMount[];
  readonly secrets: readonly ManifestSecret[];
  readonly limits: ManifestLimits;
  readonly sessions: {
    /** Who may ask the Keep for evidence once it is provisioned. */
    readonly attest: "anyone" | "owner";
  };
}

export interface ParseManifestOptions {
  /** Name for messages; `donjon.toml` when not given. */
  readonly file?: string;
  /**
   * Accept missing digests. Only the client does, to fill them in before delivery; a Keep never
   * runs a draft.
   */
  readonly draft?: boolean;
}
