/**
 * Runs the same programs with our preview 1 and with wasmtime's, and compares the answers.
 * `WASMTIME_PYTHON` names a Python that has the `wasmtime` package.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { wasmEngine } from "@donjon/wasi/p1/wasm-engine";
import { DIFFERENCES } from "./differences.ts";
import { listFilePrograms } from "./files.ts";
import { listHostilePrograms } from "./hostile.ts";
import { type Answer, ARGS, ENV, FIXTURE, type Program, type ProgramAnswers } from "./program.ts";
import { createPassThrough, readJson, runHere } from "./run-here.ts";

const FAULT = 21;
const INVAL = 28;

const programs = [...listFilePrograms(), ...listHostilePrograms()];
const module = createPassThrough();
/** Errnos of all programs, from a run that was compared with wasmtime; `RECORD_ANSWERS=1` renews it. */
const RECORD = join(import.meta.dirname, "answers.txt");
const python = process.env["WASMTIME_PYTHON"];

test("every program is answered with errnos, never with an exception", () => {
  const compiled = new wasmEngine.Module(module);
  for (const program of programs) {
    for (const [errno] of runHere(compiled, program).answers) {
      assert.ok(Number.isInteger(errno) && Number(errno) >= 0 && Number(errno) <= 76, program.name);
    }
  }
});

test("our answers are the recorded ones", () => {
  const compiled = new wasmEngine.Module(module);
  const lines = recordAnswers(programs.map((program) => runHere(compiled, program)));
  if (process.env["RECORD_ANSWERS"] === "1") writeFileSync(RECORD, `${lines.join("\n")}\n`);
  assert.deepEqual(lines, readFileSync(RECORD, "utf8").trimEnd().split("\n"));
});

test("our answers are wasmtime's, but for the listed differences", {
  skip:
    python === undefined
      ? "NOT RUN: set WASMTIME_PYTHON to a Python that has the package wasmtime"
      : false,
}, () => {
  const compiled = new wasmEngine.Module(module);
  const theirs = runWasmtime(programs);
  const unused = new Set(DIFFERENCES);
  const wrong: string[] = [];
  programs.forEach((program, index) => {
    const ours = runHere(compiled, program);
    const difference = compare(ours, theirs[index]!);
    if (difference === null) return;
    const trapped = difference.includes("theirs trap");
    const listed = DIFFERENCES.find(
      (entry) => entry.program.test(program.name) && (trapped || entry.trap !== true),
    );
    if (listed === undefined) wrong.push(`${program.name}: ${difference}`);
    else unused.delete(listed);
  });
  assert.equal(wrong.length, 0, wrong.join("\n"));
  assert.deepEqual(
    [...unused].map((entry) => entry.reason),
    [],
    "listed differences that are none",
  );
});

/** One line a program: its errnos. Programs that differ in one argument only share a line. */
function recordAnswers(results: readonly ProgramAnswers[]): string[] {
  const lines = new Map<string, string[]>();
  for (const { name, answers } of results) {
    const [, group = name, value = ""] = /^(\w+ \d)(=0x[0-9a-f]+)$/.exec(name) ?? [];
    const errnos = answers.map(([errno]) => errno).join(" ");
    lines.set(group, [
      ...(lines.get(group) ?? []),
      value === "" ? errnos : `${value.slice(1)} ${errnos}`,
    ]);
  }
  return [...lines].map(([group, errnos]) => `${group}: ${errnos.join(", ")}`);
}

function compare(ours: ProgramAnswers, theirs: ProgramAnswers): string | null {
  assert.equal(ours.name, theirs.name);
  for (const [step, answer] of ours.answers.entries()) {
    const other = theirs.answers[step];
    if (other !== undefined && same(answer, other)) {
      // After a trap the other engine's instance is no longer defined.
      if (other[0] === "trap") return null;
      continue;
    }
    return `call ${step}: ours ${answer}, theirs ${other}`;
  }
  return null;
}

/**
 * Wasmtime traps at bad pointers, unknown flags and unknown values of enumerations, where we answer
 * an errno. Memory is compared after success.
 */
function same([errno, ...reads]: Answer, [other, ...otherReads]: Answer): boolean {
  if (other === "trap") return errno === FAULT || errno === INVAL;
  if (errno !== other) return false;
  return errno !== 0 || reads.join() === otherReads.join();
}

function runWasmtime(list: readonly Program[]): ProgramAnswers[] {
  const folder = mkdtempSync(join(tmpdir(), "donjon-cross-check-"));
  try {
    const [wasm, input, output] = ["module.wasm", "in.json", "out.json"].map((name) =>
      join(folder, name),
    ) as [string, string, string];
    writeFileSync(wasm, module);
    writeFileSync(
      input,
      JSON.stringify({ fixture: FIXTURE, args: ARGS, env: ENV, programs: list }),
    );
    execFileSync(python!, [join(import.meta.dirname, "run_wasmtime.py"), wasm, input, output], {
      stdio: "inherit",
    });
    return readJson(output) as ProgramAnswers[];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
