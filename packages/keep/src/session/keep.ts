/** The life of one Keep: new, provisioned by its owner, running, exited. Once through, never back. */
import { DonjonError } from "@donjon/core/errors";
import type { KeepState } from "@donjon/protocol/gate/gate";
import type { Connections } from "../gate/connections.ts";
import type { EngineRoom, Workload } from "../runtime/workload.ts";
import { createWorkloadSpec, type Provisioned } from "./provision.ts";

export class Keep {
  readonly #room: EngineRoom;
  readonly #connections: Connections;
  readonly #end: () => void;
  #claimed = false;
  #state: KeepState = "new";

  /** `end` ends the Keep's process; called when the owner's session is over. */
  constructor(room: EngineRoom, connections: Connections, end: () => void) {
    this.#room = room;
    this.#connections = connections;
    this.#end = end;
  }

  get state(): KeepState {
    return this.#state;
  }

  /** Makes the caller the owner. Throws `session/refused` when there is one. */
  claim(): void {
    if (this.#claimed) {
      throw new DonjonError(
        "session/refused",
        "this Keep was provisioned already and takes no second workload; start another Keep",
      );
    }
    this.#claimed = true;
  }

  async start(provisioned: Provisioned): Promise<Workload> {
    this.#state = "provisioned";
    const spec = await createWorkloadSpec(provisioned, (descriptor) =>
      this.#connections.connect(descriptor),
    );
    const workload = this.#room.run(spec);
    this.#state = "running";
    this.#connections.open(provisioned.manifest.descriptors, workload);
    workload.result.then(
      () => this.#exited(),
      () => this.#exited(),
    );
    return workload;
  }

  /** Resolves when the connections have passed on what the workload wrote, or will not. */
  drain(): Promise<void> {
    return this.#connections.drain();
  }

  /** The owner's session is over, and with it the Keep. */
  finish(): void {
    this.#exited();
    this.#end();
  }

  #exited(): void {
    this.#state = "exited";
    this.#connections.refuseNew();
  }
}
