/** A host that starts a program in the confinement of the given number, says its processes on stdout, and waits to be killed. */
import { listConfinements } from "../../src/backend/qemu/confine.ts";
import { startQemu } from "../../src/backend/qemu/start.ts";
import { listDescendants } from "./descendants.ts";

const confinement = listConfinements()[Number(process.argv[2])]!;
// It says that it runs, as a guest does on its console, and then neither reads nor ends.
const program = ["/bin/sh", "-c", "echo up >&5; exec sleep 600"];
const machine = startQemu(confinement.wrap(program, [], []), () =>
  console.log(JSON.stringify(listDescendants(process.pid))),
);
await machine.ended;
