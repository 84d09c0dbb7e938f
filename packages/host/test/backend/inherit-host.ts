/** A host that was given descriptors: says what its Keep writes to the console, and what it reads from them itself. */
import { readSync } from "node:fs";
import { createProcessBackend } from "../../src/backend/process.ts";

const [runtime, sandbox, inherited] = process.argv.slice(2);
const backend = createProcessBackend(
  { engine: process.execPath, runtime: runtime! },
  { bubblewrap: sandbox === "bubblewrap" },
);
const lines: string[] = [];
const keep = backend.start({ onConsole: (line) => lines.push(line) });
await keep.ended;
const own = inherited!.split(",").map((descriptor) => {
  const bytes = Buffer.alloc(64);
  return bytes.toString("latin1", 0, readSync(Number(descriptor), bytes, 0, 64, 0));
});
console.log(JSON.stringify({ lines, own }));
