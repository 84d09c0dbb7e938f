import assert from "node:assert/strict";
import { cp, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { donjonRun, makeFolder, runManifest } from "../support/keep.ts";
import { createToolchain } from "./support/toolchain.ts";

const EXPECTED = "78498 primes below 1000000, sum 3190663655, estimate 72382.414\n";

test("clang and wasm-ld in a Keep build a C program that then runs in a Keep", async (t) => {
  const folder = await makeFolder(t);
  const source = join(folder, "src");
  const out = join(folder, "out");
  await mkdir(out);
  await cp(join(import.meta.dirname, "clang"), source, { recursive: true });
  const { compile, link } = await createToolchain(folder, source, out);
  await compile("sieve.c", "sieve.o", ["-O2"]);
  await link(["sieve.o"], "sieve.wasm");
  assert.deepEqual((await readdir(out)).sort(), ["sieve.o", "sieve.wasm"]);

  const file = join(out, "sieve.wasm");
  const fromManifest = await runManifest(folder, { file, args: ["1000000"] });
  assert.equal(fromManifest.stdout, EXPECTED, fromManifest.stderr);
  assert.equal(fromManifest.code, 0);
  const fromFlags = await donjonRun([file, "--", "1000000"]);
  assert.equal(fromFlags.stdout, EXPECTED, fromFlags.stderr);
});

test("clang in a Keep says what is wrong in a program and writes no object", async (t) => {
  const folder = await makeFolder(t);
  const out = join(folder, "out");
  await mkdir(out);
  const { compile } = await createToolchain(folder, join(import.meta.dirname, "clang"), out);
  await assert.rejects(
    compile("broken.c", "broken.o", []),
    /broken\.c:2:10: error: use of undeclared/,
  );
  assert.deepEqual(await readdir(out), []);
});
