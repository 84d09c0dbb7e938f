import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { donjonRun, makeFolder } from "../../support/keep.ts";
import { guestPath } from "./command.ts";

/** A file system of `sizeKb` in memory, gone when the test ends; `null`: this machine does not let us. */
function mountSmall(t: TestContext, sizeKb: number): string | null {
  const folder = mkdtempSync(join(tmpdir(), "donjon-test-"));
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${sizeKb}k`, "tmpfs", folder]);
  t.after(() => {
    if (mounted.status === 0) spawnSync("umount", ["-l", folder]);
    rmSync(folder, { recursive: true, force: true });
  });
  return mounted.status === 0 ? folder : null;
}

function readTree(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .sort()
      .map((name) => {
        const stat = lstatSync(join(folder, name));
        return [name, stat.isFile() ? readFileSync(join(folder, name), "latin1") : "directory"];
      }),
  );
}

const SKIPPED =
  "SKIPPED: a small disk needs the right to mount a tmpfs (root); the full disk was not tried";

test("a disk that is full when changes come back leaves the old tree whole, and says so", async (t) => {
  const disk = mountSmall(t, 512);
  if (disk === null) return t.skip(SKIPPED);
  const temporary = await makeFolder(t);
  const tree = join(disk, "tree");
  mkdirSync(join(tree, "sub"), { recursive: true });
  // The guest writes its own "big" over this one.
  writeFileSync(join(tree, "big"), "the old one");
  writeFileSync(join(tree, "sub/other"), "x".repeat(10_000));
  const before = readTree(disk);
  const run = (files: string) =>
    donjonRun(
      [guestPath("growth"), "--dir", `${tree}:/tree:rw`, "--files", files, "--", "fill"],
      "",
      { TMPDIR: temporary },
    );
  const full = await run("4MiB");
  assert.equal(full.code, 125);
  assert.match(
    full.stderr,
    /^donjon: writing changes to '[^']+\/tree' \(it is as it was\) failed: no space left on device\n$/,
  );
  assert.deepEqual(
    readTree(disk),
    before,
    "every byte is as it was, and nothing is left beside it",
  );
  assert.deepEqual(readdirSync(temporary), []);
  // The same run with what fits: the tree is not damaged for later runs.
  const fits = await run("256KiB");
  assert.deepEqual([fits.code, fits.stderr], [0, ""]);
  assert.ok(readFileSync(join(tree, "big")).length > 128 << 10);
  assert.equal(readFileSync(join(tree, "sub/other"), "utf8"), before["tree/sub/other"]);
});

test("when one of two directories is on a full disk, neither changes", async (t) => {
  const disk = mountSmall(t, 64);
  if (disk === null) return t.skip(SKIPPED);
  const roomy = join(await makeFolder(t), "roomy");
  mkdirSync(roomy);
  writeFileSync(join(roomy, "answers"), "before");
  const filler = join(disk, "filler");
  const small = join(disk, "small");
  mkdirSync(small);
  writeFileSync(join(small, "note"), "before");
  // What is left of the disk after it is full is nothing.
  spawnSync("sh", ["-c", `cat /dev/zero > '${filler}'`]);
  const index = join(import.meta.dirname, "../../../examples/word-index");
  const args = [join(index, "word-index.wasm"), "--dir", `${join(index, "texts")}:/texts`];
  const { code, stderr } = await donjonRun([...args, "--dir", `${small}:/out:rw`]);
  assert.equal(code, 125);
  assert.match(stderr, /it is as it was/);
  assert.deepEqual(readdirSync(small), ["note"]);
  rmSync(filler);
  const again = await donjonRun([...args, "--dir", `${small}:/out:rw`]);
  assert.equal(again.code, 0, again.stderr);
  assert.deepEqual(readdirSync(small).sort(), ["index.txt", "note"]);
});

test("a directory that cannot be written is told before anything is lost", async (t) => {
  const folder = await makeFolder(t);
  const tree = join(folder, "tree");
  mkdirSync(tree);
  const { code, stderr } = await donjonRun([
    guestPath("growth"),
    "--dir",
    `${join(folder, "none")}:/tree:rw`,
    "--",
    "content",
  ]);
  assert.notEqual(code, 0);
  assert.match(stderr, /^donjon: .*none/);
  assert.deepEqual(readdirSync(folder), ["tree"]);
});
