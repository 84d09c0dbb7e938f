import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { type CpioEntry, encodeCpio } from "../../src/image/cpio.ts";
import { readCpio } from "./cpio-reader.ts";

const folder = mkdtempSync(join(tmpdir(), "donjon-cpio-"));
after(() => rmSync(folder, { recursive: true }));

const write = (entries: readonly CpioEntry[]) => Buffer.concat([...encodeCpio(entries)]);
const file = (path: string, contents: Uint8Array | string, executable = false): CpioEntry => ({
  path,
  kind: "file",
  executable,
  contents,
});

const NAME = fc.stringMatching(/^[A-Za-z0-9_+][A-Za-z0-9._+-]{0,20}$/);
const ENTRIES = fc
  .dictionary(
    NAME,
    fc.oneof(
      fc.record({ executable: fc.boolean(), contents: fc.uint8Array({ maxLength: 4000 }) }),
      fc.dictionary(NAME, fc.uint8Array({ maxLength: 9 }), { maxKeys: 4 }),
    ),
    { maxKeys: 8 },
  )
  .map((tree) =>
    Object.entries(tree).flatMap(([path, value]): CpioEntry[] =>
      value["contents"] instanceof Uint8Array && typeof value["executable"] === "boolean"
        ? [file(path, value["contents"], value["executable"])]
        : [
            { path, kind: "directory" },
            ...Object.entries(value as Record<string, Uint8Array>).map(([name, contents]) =>
              file(`${path}/${name}`, contents),
            ),
          ],
    ),
  );

test("whatever is written is read back, sorted, and the order of the entries does not matter", () => {
  fc.assert(
    fc.property(ENTRIES, fc.nat(), (entries, turn) => {
      const archive = write(entries);
      const read = readCpio(archive);
      const sorted = entries.toSorted((a, b) => (a.path < b.path ? -1 : 1));
      assert.deepEqual(
        read.map(({ path }) => path),
        sorted.map(({ path }) => path),
      );
      for (const [i, entry] of sorted.entries()) {
        assert.equal(read[i]!.inode, i + 1);
        if (entry.kind === "directory") assert.equal(read[i]!.mode, 0o040755);
        else {
          assert.equal(read[i]!.mode, entry.executable ? 0o100755 : 0o100644);
          assert.deepEqual(read[i]!.contents, Buffer.from(entry.contents as Uint8Array));
        }
      }
      const turned = [...entries.slice(turn % (entries.length || 1)), ...entries].slice(
        0,
        entries.length,
      );
      if (new Set(turned).size === entries.length) assert.deepEqual(write(turned), archive);
      assert.deepEqual(write(entries.toReversed()), archive);
    }),
  );
});

for (const [program, ...args] of [
  ["cpio", "-it", "--quiet"],
  ["bsdtar", "-tf", "-"],
] as const) {
  const missing = !hasProgram(program);
  test(`${program} lists what was written`, {
    skip: missing && `${program} is not installed`,
  }, () => {
    const entries: CpioEntry[] = [
      { path: "keep", kind: "directory" },
      file("keep/engine", Buffer.alloc(70_001, 7), true),
      file("a", new Uint8Array(0)),
    ];
    const listed = execFileSync(program, args, { input: write(entries), encoding: "utf8" });
    const names = listed
      .trim()
      .split("\n")
      .map((name) => name.replace(/\/$/, ""));
    assert.deepEqual(names, ["a", "keep", "keep/engine"]);
  });
}

test("a file on disk is streamed in chunks and gives the bytes that it has in memory", () => {
  const contents = Buffer.alloc(3 * 2 ** 20 + 5, "abc");
  const path = join(folder, "large");
  writeFileSync(path, contents);
  const chunks = [...encodeCpio([file("large", path)])];
  assert.ok(chunks.every((chunk) => chunk.length <= 2 ** 20));
  assert.deepEqual(Buffer.concat(chunks), write([file("large", contents)]));
});

test("names that the format or the kernel cannot carry are refused", () => {
  for (const path of ["", "/a", "a/", "a//b", "./a", "../a", "a/../b", "a\0b", "TRAILER!!!"])
    assert.throws(() => write([file(path, new Uint8Array(0))]), { code: "bytes/invalid" }, path);
  assert.throws(() => write([file("a".repeat(4096), new Uint8Array(0))]), { code: "bytes/limit" });
});

test("an entry that is there twice, or whose folder is not there, is refused", () => {
  const one = file("a", new Uint8Array(0));
  assert.throws(() => write([one, one]), { code: "bytes/invalid" });
  assert.throws(() => write([file("keep/engine", new Uint8Array(0))]), { code: "bytes/invalid" });
});

test("a file that cannot be read is an error that names it", () => {
  assert.throws(() => write([file("a", join(folder, "missing"))]), {
    code: "files/read",
    message: /missing/,
  });
});

function hasProgram(program: string): boolean {
  try {
    execFileSync(program, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
