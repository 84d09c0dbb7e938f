/** The one interface of all backends: a started Keep, seen from the host. */
import type { Duplex } from "node:stream";

export type BackendName = "snp" | "tdx" | "sgx" | "vm" | "process";

export interface BackendOptions {
  /** Lines of the Keep's own runtime; never workload output. */
  readonly onConsole: (line: string) => void;
}

export type KeepEnd =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "killed"; readonly signal: string };

export interface StartedKeep {
  /** The pipe on which the host calls the Keep; it carries the gate's frames. */
  readonly in: Duplex;
  /** The pipe on which the Keep calls the host; it carries the gate's frames. */
  readonly out: Duplex;
  /** Never rejects. */
  readonly ended: Promise<KeepEnd>;
  /** What confines the Keep, one line for the summary; final once the Keep has answered anything. */
  readonly sandbox: string;
  /** Ends the Keep at once and everything that belongs to it. */
  kill(): void;
}

export interface Backend {
  readonly name: BackendName;
  /** Whether hardware protects what runs in it. */
  readonly protects: boolean;
  start(options: BackendOptions): StartedKeep;
}
