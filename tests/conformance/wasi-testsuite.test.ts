import assert from "node:assert/strict";
import test from "node:test";
import { findSuite, listPrograms, runProgram } from "./wasi-testsuite.ts";
import { EXPECTED_FAILURES } from "./wasi-testsuite-expectations.ts";

/** Programs in the suite, so that an empty or half folder does not pass. */
const PROGRAMS = 72;

const suite = findSuite();

if (suite === null) {
  test("the official preview 1 suite", {
    skip: "NOT RUN: set WASI_TESTSUITE to a check-out of WebAssembly/wasi-testsuite, branch prod/testsuite-base",
  });
} else {
  const programs = listPrograms(suite);
  test("the official suite is complete", () => {
    assert.equal(programs.length, PROGRAMS);
  });
  for (const program of programs) {
    test(`the official suite: ${program}`, () => {
      const { name, failure } = runProgram(suite, program);
      const reason = EXPECTED_FAILURES[name];
      if (reason === undefined) assert.equal(failure, null, `${name}: ${failure}`);
      else assert.notEqual(failure, null, `${name} passes, but is expected to fail: ${reason}`);
    });
  }
}
