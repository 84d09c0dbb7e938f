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

/** What was launched, as a security processor measures it. */
export interface Launch {
  /** Whose measurement it is: an enclave's or a VM's. */
  readonly tee: "sgx" | "snp";
  /** MRENCLAVE (32 octets) or SNP launch digest (48 octets). */
  readonly measurement: Uint8Array;
  /** The image digest, lower-case hex (docs/image.md). */
  readonly imageDigest: string;
}

/** A pipe for the octets of one session, past the gate's frames. */
export interface Lane {
  readonly stream: Duplex;
  /** The Keep has opened it: from now on nobody else on its side holds it open. */
  release(): void;
}

export interface StartedKeep {
  /** The pipe on which the host calls the Keep; it carries the gate's frames. */
  readonly in: Duplex;
  /** The pipe on which the Keep calls the host; it carries the gate's frames. */
  readonly out: Duplex;
  /** `null`: this backend has none. */
  readonly lane: Lane | null;
  /** Never rejects. */
  readonly ended: Promise<KeepEnd>;
  /** What confines the Keep, one line for the summary; final once the Keep has answered anything. */
  readonly sandbox: string;
  /** Which files it runs, one line for the summary. */
  readonly image: string;
  /** Measures what was launched; the work is done at the first call. Throws `files/read`. */
  measure(): Promise<Launch>;
  /** Ends the Keep at once and everything that belongs to it. */
  kill(): void;
}

export interface Backend {
  readonly name: BackendName;
  /** Whether hardware protects what runs in it. */
  readonly protects: boolean;
  start(options: BackendOptions): StartedKeep;
}
