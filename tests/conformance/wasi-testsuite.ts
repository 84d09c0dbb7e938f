/**
 * Runs the prebuilt preview 1 programs of the official suite (WebAssembly/wasi-testsuite, branch
 * `prod/testsuite-base`), which are not part of this repository. `WASI_TESTSUITE` names the folder of
 * a check-out; without it nothing is run, and that is said.
 */
import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import {
  collectOutput,
  hostClock,
  hostRandom,
  loadFolder,
  runCommand,
  sleepingWaiter,
} from "./preview1-host.ts";

/** The fields of the suite's JSON files that preview 1 programs use. */
interface ProgramSpec {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Folder beside the program that is preopened as `/`. */
  readonly root?: string;
  readonly exit_code?: number;
  readonly stdout?: string;
}

const KNOWN_FIELDS = ["args", "env", "root", "exit_code", "stdout"];

export interface ProgramResult {
  readonly name: string;
  /** What was wrong; `null`: it passed. */
  readonly failure: string | null;
}

/** Folder of the suite, or `null` when it is not there. */
export function findSuite(): string | null {
  const folder = process.env["WASI_TESTSUITE"];
  return folder !== undefined && existsSync(join(folder, "tests")) ? folder : null;
}

export function listPrograms(suite: string): string[] {
  return globSync("tests/*/testsuite/wasm32-wasip1/*.wasm", { cwd: suite }).sort();
}

export function runProgram(suite: string, program: string): ProgramResult {
  const path = join(suite, program);
  const name = `${program.split("/")[1]}/${basename(program, ".wasm")}`;
  const spec = readSpec(path.replace(/\.wasm$/, ".json"));
  const stdout = collectOutput();
  const stderr = collectOutput();
  const root = spec.root === undefined ? null : loadFolder(join(dirname(path), spec.root));
  const end = runCommand(readFileSync(path), {
    args: [basename(path), ...(spec.args ?? [])],
    env: Object.entries(spec.env ?? {}),
    clock: hostClock,
    random: hostRandom,
    waiter: sleepingWaiter,
    descriptors: [
      { kind: "null" },
      { kind: "output", stream: stdout.stream },
      { kind: "output", stream: stderr.stream },
    ],
    preopens: root === null ? [] : [{ guest: "/", directory: root.root, writable: true }],
  });
  const wanted = spec.exit_code ?? 0;
  if (end.kind === "trap") return { name, failure: `${end.reason}\n${stderr.text()}` };
  if (end.code !== wanted) {
    return { name, failure: `exit code ${end.code}, wanted ${wanted}\n${stderr.text()}` };
  }
  if (spec.stdout !== undefined && spec.stdout !== stdout.text()) {
    return {
      name,
      failure: `stdout ${JSON.stringify(stdout.text())}, wanted ${JSON.stringify(spec.stdout)}`,
    };
  }
  return { name, failure: null };
}

function readSpec(path: string): ProgramSpec {
  if (!existsSync(path)) return {};
  const spec = JSON.parse(readFileSync(path, "utf8")) as ProgramSpec;
  const unknown = Object.keys(spec).filter((key) => !KNOWN_FIELDS.includes(key));
  if (unknown.length > 0) throw new Error(`Expected known fields in ${path}, found ${unknown}`);
  return spec;
}
