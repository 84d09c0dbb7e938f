/** The `donjon` command. What starts the Keep comes first and alone: everything else is loaded while it boots. */
import { enableCodeCache } from "./code-cache.ts";
import { startKeep, wantsEarlyKeep } from "./early-keep.ts";

const argv = process.argv.slice(2);
const early = wantsEarlyKeep(argv) ? startKeep() : null;
// A run loads so little that the cache gives it nothing (docs/decisions/0024).
if (early === null) enableCodeCache();

import("./program.ts").then(async ({ runProgram }) => {
  const code = await runProgram(argv, early);
  // Timers and pipes that are still open must not hold the process; all output is flushed by now.
  (process as unknown as { reallyExit(code: number): never }).reallyExit(code);
});
