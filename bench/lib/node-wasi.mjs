// Runs a module under node:wasi: node-wasi.mjs PREOPENS-AS-JSON MODULE ARGS...
import { readFileSync } from "node:fs";
import { WASI } from "node:wasi";

const [preopens, file, ...args] = process.argv.slice(2);
const wasi = new WASI({
  version: "preview1",
  args: [file, ...args],
  preopens: JSON.parse(preopens),
});
const module = await WebAssembly.compile(readFileSync(file));
process.exitCode = wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));
