import assert from "node:assert/strict";
import { test } from "node:test";
import { findLaunchFiles } from "../../src/backend/launch-files.ts";
import { readMappedLibraries } from "../../src/backend/libraries.ts";
import { cleanLine, createLineReader } from "../../src/backend/lines.ts";
import { createLaunch } from "../../src/backend/sandbox.ts";

test("the engine's libraries are found in this process, by the names that programs ask for", () => {
  const names = readMappedLibraries().map(({ soname }) => soname);
  for (const name of ["libc.so.6", "libstdc++.so.6", "libm.so.6", "ld-linux-x86-64.so.2"]) {
    assert.ok(names.includes(name), `${name} in ${names}`);
  }
});

test("libraries of an old glibc get their sonames back", () => {
  const maps =
    "7f00-7f01 r-xp 0 08:01 1    /lib/x86_64-linux-gnu/libc-2.31.so\n7f02-7f03 r--p 0 08:01 2 /lib/x86_64-linux-gnu/ld-2.31.so\n";
  assert.deepEqual(readMappedLibraries(maps), [
    { soname: "libc.so.6", path: "/lib/x86_64-linux-gnu/libc-2.31.so" },
    { soname: "ld-linux-x86-64.so.2", path: "/lib/x86_64-linux-gnu/ld-2.31.so" },
  ]);
});

test("a Keep is started with nothing granted but workers", () => {
  const files = findLaunchFiles({ engine: process.execPath, runtime: import.meta.filename });
  const bare = createLaunch(files, null).join(" ");
  assert.match(bare, /--permission --allow-worker/);
  assert.doesNotMatch(bare, /allow-(fs|net|child|addons|wasi)/);
  const wrapped = createLaunch(files, "/usr/bin/bwrap");
  const readable = wrapped.filter((each) => each.startsWith("--allow-fs"));
  assert.deepEqual(readable, ["--allow-fs-read=/keep/*", "--allow-fs-read=/lib*"]);
  for (const flag of [
    "--unshare-all",
    "--unshare-user",
    "--die-with-parent",
    "--new-session",
    "--seccomp",
  ]) {
    assert.ok(wrapped.includes(flag), flag);
  }
  const writable = wrapped.filter((each) => /^--(bind|dev|proc|tmpfs)/.test(each));
  assert.deepEqual(writable, []);
});

test("console lines lose control characters and excess, however they are chunked", () => {
  assert.equal(cleanLine("a\u001b[31mb"), "a\ufffd[31mb");
  const lines: string[] = [];
  const read = createLineReader((line) => lines.push(line));
  const bytes = Buffer.from(`one\ntwo \u00e9\n${"x".repeat(10_000)}\n`);
  for (const byte of bytes) read(Uint8Array.of(byte));
  assert.deepEqual(lines, ["one", "two \u00e9", "x".repeat(4096)]);
});
