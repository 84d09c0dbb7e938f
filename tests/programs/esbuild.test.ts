import assert from "node:assert/strict";
import { cp, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { donjonRun, execute, makeFolder, runManifest } from "../support/keep.ts";

const HERE = import.meta.dirname;
const ESBUILD = join(HERE, "node_modules/@esbuild/wasi-preview1/esbuild.wasm");
const NATIVE = join(HERE, "node_modules/.bin/esbuild");
const BUNDLE = ["--bundle", "--minify", "--sourcemap", "--format=esm", "--target=es2024"];

test("esbuild (Go) bundles a package from a packed tree to the same bytes as outside", async (t) => {
  const folder = await makeFolder(t);
  const work = join(folder, "work");
  await cp(join(HERE, "../../packages/core/src"), join(work, "src"), { recursive: true });
  await mkdir(join(work, "out"));
  const entry = "src/x509.ts";
  const native = await execute(NATIVE, [...BUNDLE, `${work}/${entry}`, `--outdir=${work}/native`]);
  assert.equal(native.code, 0, native.stderr);
  const finished = await runManifest(folder, {
    file: ESBUILD,
    name: "esbuild",
    args: [...BUNDLE, `/${entry}`, "--outdir=/out"],
    // It lists every directory from the file's up to the root.
    mounts: [{ guest: "/", host: work, writable: true }],
    env: { PWD: "/" },
  });
  assert.equal(finished.code, 0, finished.stderr);
  for (const name of ["x509.js", "x509.js.map"]) {
    const made = await readFile(join(work, "out", name), "utf8");
    assert.equal(made, await readFile(join(work, "native", name), "utf8"));
    assert.ok(made.length > 1000);
  }
});

test("esbuild (Go) reads TypeScript from stdin and says where it is wrong", async () => {
  const good = await donjonRun([ESBUILD, "--", "--loader=ts"], "const x: number = 1; x!;\n");
  assert.equal(good.stdout, "const x = 1;\nx;\n", good.stderr);
  const bad = await donjonRun([ESBUILD, "--", "--loader=ts"], "const x: = 1;\n");
  assert.equal(bad.code, 1);
  assert.match(bad.stderr, /<stdin>:1:9/);
});
