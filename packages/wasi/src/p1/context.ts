/** All state of one instance; nothing of preview 1 lives outside it. */
import type { Clock } from "../capability/clock.ts";
import type { Random } from "../capability/random.ts";
import type { Exit } from "./exit.ts";
import type { GuestMemory } from "./memory.ts";
import type { DescriptorTable } from "./table.ts";
import type { Vectors } from "./vectors.ts";

export interface Context {
  readonly memory: GuestMemory;
  readonly table: DescriptorTable;
  readonly vectors: Vectors;
  readonly clock: Clock;
  readonly random: Random;
  /** Each ends with NUL, in UTF-8. */
  readonly args: readonly Uint8Array[];
  /** `KEY=value` and NUL, in UTF-8. */
  readonly env: readonly Uint8Array[];
  readonly exit: Exit;
}
