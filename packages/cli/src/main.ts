/** The `donjon` command. What starts the Keep comes first and alone: everything else is loaded while it boots. */
import { enableCodeCache } from "./code-cache.ts";
import { AGENT_ALONE, KEEP_COMMANDS } from "./deploy/names.ts";
import { startKeep, wantsEarlyKeep } from "./early-keep.ts";

const argv = process.argv.slice(2);
const early = wantsEarlyKeep(argv) ? startKeep() : null;
// A run loads so little that the cache gives it nothing (docs/decisions/0024).
if (early === null) enableCodeCache();

/** Starts one of four programs: of the commands that are in the others nothing is loaded or set up. */
async function start(): Promise<number> {
  if (argv[0] === "run") {
    const { runRunCommand } = await import("./run/run-command.ts");
    return runRunCommand(argv, early);
  }
  const name = KEEP_COMMANDS.find((each) => each === argv[0]);
  if (name === undefined) {
    const { runAnyCommand } = await import("./commands.ts");
    return runAnyCommand(argv);
  }
  const { runKeepCommand } = AGENT_ALONE.has(name)
    ? await import("./keeps/commands.ts")
    : await import("./deploy/commands.ts");
  return runKeepCommand(name, argv);
}

start().then((code) => {
  // Timers and pipes that are still open must not hold the process; all output is flushed by now.
  (process as unknown as { reallyExit(code: number): never }).reallyExit(code);
});
