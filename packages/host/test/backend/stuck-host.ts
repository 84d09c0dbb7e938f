/** A host that starts a Keep whose runtime is bad, says the Keep's processes on stdout once it has said a word, and waits to be killed. */
import { createProcessBackend } from "../../src/backend/process.ts";
import { listDescendants } from "./descendants.ts";

const [runtime, sandbox] = process.argv.slice(2);
const backend = createProcessBackend(
  { engine: process.execPath, runtime: runtime! },
  { bubblewrap: sandbox === "bubblewrap" },
);
const keep = backend.start({
  onConsole: (line) => {
    if (line === "spins") console.log(JSON.stringify(listDescendants(process.pid)));
  },
});
await keep.ended;
