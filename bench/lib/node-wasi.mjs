// Runs a module under node:wasi: node-wasi.mjs DIRECTORY MODULE ARGS...
import { readFileSync } from "node:fs";
import { WASI } from "node:wasi";

const [directory, file, ...args] = process.argv.slice(2);
const wasi = new WASI({
  version: "preview1",
  args: [file, ...args],
  preopens: directory === "" ? {} : { "/work": directory },
});
const module = await WebAssembly.compile(readFileSync(file));
process.exitCode = wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));
