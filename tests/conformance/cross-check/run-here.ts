/** Runs programs with our preview 1. */
import { readFileSync } from "node:fs";
import type { DirectoryNode } from "@donjon/wasi/capability/files";
import { createMemoryFiles } from "@donjon/wasi/files/memory-files";
import { FUNCTION_NAMES, FUNCTIONS } from "@donjon/wasi/p1/functions";
import { createPreview1 } from "@donjon/wasi/p1/preview1";
import { type WasmMemory, wasmEngine } from "@donjon/wasi/p1/wasm-engine";
import { assemble, op, uleb } from "../../../packages/wasi/test/p1/support/assemble.ts";
import { hostClock, hostRandom, NULL_GRANTS, sleepingWaiter } from "../preview1-host.ts";
import {
  type Answer,
  ARGS,
  type Argument,
  ENV,
  FIXTURE,
  PAGES,
  type Program,
  type ProgramAnswers,
  type Step,
} from "./program.ts";

/** A module that exports every function it imports, as it is, and its memory. */
export function createPassThrough(): Uint8Array<ArrayBuffer> {
  return assemble({
    imports: FUNCTION_NAMES.map((name) => ({
      module: "wasi_snapshot_preview1",
      name,
      params: FUNCTIONS[name].params,
      result: FUNCTIONS[name].result,
    })),
    memory: { pages: PAGES },
    functions: FUNCTION_NAMES.map((name, index) => ({
      name,
      params: FUNCTIONS[name].params,
      result: FUNCTIONS[name].result,
      body: [
        ...[...FUNCTIONS[name].params].flatMap((_, local) => [op.localGet, local]),
        op.call,
        ...uleb(index),
      ],
    })),
  });
}

export function runHere(module: object, program: Program): ProgramAnswers {
  const files = createMemoryFiles({ limitBytes: 1 << 28, clock: hostClock });
  for (const folder of FIXTURE.folders) files.makeDirectory(files.root, folder);
  for (const [name, content] of Object.entries(FIXTURE.files)) putFile(files.root, name, content);
  for (const [name, target] of Object.entries(FIXTURE.links)) {
    files.makeSymlink(files.root, name, target);
  }
  const wasi = createPreview1({
    args: ARGS,
    env: Object.entries(ENV),
    clock: hostClock,
    random: hostRandom,
    waiter: sleepingWaiter,
    descriptors: NULL_GRANTS,
    preopens: [{ guest: "/", directory: files.root, writable: true }],
  });
  const { exports } = new wasmEngine.Instance(module, { wasi_snapshot_preview1: wasi.imports });
  const memory = exports["memory"] as WasmMemory;
  wasi.bindMemory(memory);
  const answers = program.steps.flatMap((step) => runStep(exports, memory, step));
  wasi.close();
  return { name: program.name, answers };
}

function putFile(root: DirectoryNode, name: string, content: string): void {
  const file = root.fs.open(root, name, {
    follow: false,
    create: true,
    exclusive: true,
    truncate: false,
    directory: false,
    write: true,
  });
  if (typeof file === "number" || file.kind !== "file") throw new Error(`Cannot create ${name}`);
  file.write(Buffer.from(content), 0, content.length, 0);
}

function runStep(
  exports: Readonly<Record<string, unknown>>,
  memory: WasmMemory,
  step: Step,
): Answer[] {
  if ("write" in step) {
    new Uint8Array(memory.buffer).set(Buffer.from(step.hex, "hex"), step.write);
    return [];
  }
  const imported = exports[step.call] as (...args: (number | bigint)[]) => number;
  const errno = imported(...step.args.map(argument));
  const reads = (step.reads ?? []).map(([address, length]) =>
    Buffer.from(memory.buffer, address, length).toString("hex"),
  );
  return [[errno, ...reads]];
}

function argument(value: Argument): number | bigint {
  return typeof value === "string" ? BigInt(value) : value | 0;
}

export function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, "utf8"));
}
