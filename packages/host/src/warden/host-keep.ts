/** A started Keep with its gate open: what a warden and a run in the same process share. Loads nothing slow. */
import type { StartedKeep } from "../backend/backend.ts";
import type { EvidenceSource } from "../gate/evidence.ts";
import { type BoundListener, type Gate, type ListenAddress, openGate } from "../gate/gate.ts";
import type { NetworkGuard } from "../network/guard.ts";

export interface HostOptions {
  /** Lines of the Keep's own runtime. */
  readonly onConsole: (line: string) => void;
  /** Simulated evidence for a Keep that nothing protects; `null`: there is none. */
  readonly evidence: EvidenceSource | null;
}

/** What the manifest's sockets need of the host. */
export interface KeepSockets {
  readonly listeners: readonly ListenAddress[];
  /** `host:port`, all that the Keep may connect to. */
  readonly connections: readonly string[];
}

export interface HostedKeep {
  readonly keep: StartedKeep;
  readonly gate: Gate;
  /**
   * To be called before `provision`. Rejects with `gate/refused` when a port cannot be bound, `gate/protocol` for no
   * authority, `agent/forbidden` for a listener that `guard` refuses; without a guard there are no rules.
   */
  openSockets(sockets: KeepSockets, guard: NetworkGuard | null): Promise<readonly BoundListener[]>;
  /** Closes the gate, which ends the Keep; resolves when connections have passed on what they carried, and the Keep is gone. */
  close(): Promise<void>;
}

/** Time that a Keep has to end by itself once its pipes are closed. */
const END_MS = 2_000;

export function hostKeep(keep: StartedKeep, { onConsole, evidence }: HostOptions): HostedKeep {
  const gate = openGate(keep, { onConsole, evidence });
  return {
    keep,
    gate,
    async openSockets({ listeners, connections }, guard) {
      gate.allowConnections(connections, guard);
      const bound: BoundListener[] = [];
      for (const { name, address: host, port } of listeners) {
        const address = guard === null ? host : await guard.resolveListener({ host, port });
        bound.push(await gate.listen({ name, address, port }));
      }
      return bound;
    },
    async close() {
      await gate.close();
      const timer = setTimeout(() => keep.kill(), END_MS);
      await keep.ended;
      clearTimeout(timer);
    },
  };
}
