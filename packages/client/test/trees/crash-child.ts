/** Writes changes back and kills itself before step number `argv[4]`. Usage: ROOT CHANGES-FILE STEP */
import { readFileSync } from "node:fs";
import { scanTree } from "@donjon/client/trees/read-tree";
import { stageChanges } from "@donjon/client/trees/write-back";

const [root, changes, last] = process.argv.slice(2) as [string, string, string];
let steps = 0;
const onStep = () => {
  if (steps++ === Number(last)) process.kill(process.pid, "SIGKILL");
};
const { marks } = scanTree(root);
stageChanges(root, readFileSync(changes), marks, { onStep }).commit();
process.stdout.write(`${steps}`);
