/** The program of a warden: one process per Keep, started by the agent with the Keep's folder as its argument. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { runWarden } from "@donjon/host/warden/warden";
import { openBackend } from "./open-backend.ts";
import { openSimulator } from "./simulator.ts";

const [, program, folder] = process.argv;
if (folder === undefined) {
  console.error("donjon: a warden is started by 'donjon agent', with the folder of a Keep");
  process.exit(125);
}
/** The bundled runtime: beside this bundle where installed, in its own package in the repository. */
const beside = join(dirname(program!), "keep.cjs");
const runtime = existsSync(beside) ? beside : join(dirname(program!), "../../keep/dist/keep.cjs");

runWarden(folder, {
  createBackend: (name) => openBackend(name, { engine: process.execPath, runtime }),
  openSecurityProcessor: openSimulator,
}).then((code) => process.exit(code));
