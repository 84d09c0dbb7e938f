import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { makeDirectory } from "../../src/files/make-directory.ts";

const folder = mkdtempSync(join(tmpdir(), "donjon-directory-"));
after(() => rmSync(folder, { recursive: true }));

test("all that is missing is made for this user alone, and what is there stays as it is", () => {
  const before = statSync(folder).mode;
  const path = join(folder, "a/b/c");
  makeDirectory(path);
  makeDirectory(path);
  for (const each of ["a", "a/b", "a/b/c"]) {
    assert.equal(statSync(join(folder, each)).mode & 0o777, 0o700, each);
  }
  assert.equal(statSync(folder).mode, before);
});

test("a link to a directory is a directory", () => {
  symlinkSync("/tmp", join(folder, "tmp"));
  makeDirectory(join(folder, "tmp"));
});

const file = join(folder, "file");
writeFileSync(file, "");
symlinkSync("nowhere", join(folder, "dangling"));
symlinkSync("loop", join(folder, "loop"));

for (const [path, found] of [
  ["/proc/self/x/y", "'/proc/self/x' failed, because nothing can be made there"],
  [file, `'${file}' is there and is no directory`],
  [join(file, "below"), `'${file}' is there and is no directory`],
  [join(folder, "dangling/x"), "a link that leads nowhere is in its place"],
  [join(folder, "loop/x"), "its links go round"],
  [join(folder, "n".repeat(300)), "the name is too long"],
] as const) {
  test(`what is in the way is said: ${found.replaceAll(folder, "")}`, () => {
    assert.throws(
      () => makeDirectory(path),
      (error: Error & { code: string }) => {
        assert.equal(error.code, "files/write");
        assert.ok(
          error.message.includes(`the directory '${path}' cannot be made: `),
          error.message,
        );
        assert.ok(error.message.includes(found), error.message);
        return true;
      },
    );
  });
}
