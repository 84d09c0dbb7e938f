/**
 * Measures Donjon beside its peers, in one run: npm run bench [-- SUITE...]
 * Suites: cpu calls files start memory streams. Prints tables as they go into bench/RESULTS.md.
 */

import { needPeers } from "./lib/engines.ts";
import { benchCalls, benchFiles } from "./suites/calls.ts";
import { benchCpu } from "./suites/cpu.ts";
import { listPhases } from "./suites/phases.ts";
import { benchMemory, benchStart } from "./suites/start.ts";
import { benchStreams } from "./suites/streams.ts";

const SUITES: Readonly<Record<string, () => string | Promise<string>>> = {
  start: () => `${benchStart()}\n${listPhases()}`,
  memory: benchMemory,
  calls: benchCalls,
  files: benchFiles,
  cpu: benchCpu,
  streams: benchStreams,
};

needPeers();
const chosen = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(SUITES);
for (const name of chosen) {
  const suite = SUITES[name];
  if (suite === undefined)
    throw new Error(`no suite '${name}', wanted one of ${Object.keys(SUITES).join(", ")}`);
  console.error(`bench: ${name}`);
  console.log(await suite());
}
