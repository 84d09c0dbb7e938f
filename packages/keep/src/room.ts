/** Starts the engine room as a side effect of being imported: `main.ts` does so before it loads anything else. */
import { createEngineRoom } from "./runtime/engine-room.ts";

export const room = createEngineRoom();
