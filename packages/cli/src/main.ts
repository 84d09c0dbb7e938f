/** The `donjon` command. What starts the Keep comes first and alone: everything else is loaded while it boots. */
import { enableCodeCache } from "./code-cache.ts";
import { KEEP_COMMANDS } from "./deploy/names.ts";
import { startKeep, wantsEarlyKeep } from "./early-keep.ts";

const argv = process.argv.slice(2);
const early = wantsEarlyKeep(argv) ? startKeep() : null;
// A run loads so little that the cache gives it nothing (docs/decisions/0024).
if (early === null) enableCodeCache();

// A command on Keeps is a program of its own: of the others nothing is loaded or set up.
const name = KEEP_COMMANDS.find((each) => each === argv[0]);
const ending =
  name === undefined
    ? import("./program.ts").then(({ runProgram }) => runProgram(argv, early))
    : import("./deploy/commands.ts").then(({ runKeepCommand }) => runKeepCommand(name, argv));

ending.then((code) => {
  // Timers and pipes that are still open must not hold the process; all output is flushed by now.
  (process as unknown as { reallyExit(code: number): never }).reallyExit(code);
});
