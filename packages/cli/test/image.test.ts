import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createFiles, runCommand } from "./command.ts";

const LOCK = join(import.meta.dirname, "../../host/image.lock.json");
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** A folder of the form of a built image, with a library and a command line in it. */
function createImage(t: TestContext, library: string): string {
  const digest = sha256(library);
  const path = "lib/libc.so.6";
  const record = {
    format: "donjon/image-record/1",
    digest,
    tree: [{ path, executable: false, size: library.length, sha256: digest }],
    boot: [{ name: "cmdline", size: 5, sha256: sha256("quiet") }],
    origins: { [path]: "libc6 2.36" },
    lock: {},
  };
  const files = {
    [`tree/${path}`]: library,
    cmdline: "quiet",
    "image.json": JSON.stringify(record),
  };
  return createFiles(t, files);
}

test("image digest prints the digest of an image that is whole, and names the file that is not", async (t) => {
  const image = createImage(t, "library");
  const good = await runCommand(["image", "digest", image]);
  assert.equal(good.code, 0);
  assert.equal(`${good.stdout}`, `${sha256("library")}\n`);
  const json = await runCommand(["image", "digest", image, "--json"]);
  assert.equal(JSON.parse(`${json.stdout}`).digest, sha256("library"));

  writeFileSync(join(image, "tree/lib/libc.so.6"), "librarY");
  const bad = await runCommand(["image", "digest", image, "--json"]);
  assert.equal(bad.code, 125);
  assert.equal(`${bad.stdout}`, "");
  const { error } = JSON.parse(bad.stderr);
  assert.equal(error.code, "image/changed");
  assert.equal(error.details.path, "lib/libc.so.6");
  assert.equal(error.details.input, "libc6 2.36");
});

test("image diff exits 0 for the same image and 1 for another, whose input it names", async (t) => {
  const [one, other] = [createImage(t, "one"), createImage(t, "other")];
  const same = await runCommand(["image", "diff", one, join(one, "image.json")]);
  assert.deepEqual([same.code, `${same.stdout}`], [0, "the images are the same\n"]);
  const differs = await runCommand(["image", "diff", one, other]);
  assert.equal(differs.code, 1);
  assert.match(`${differs.stdout}`, /lib\/libc\.so\.6 {2}libc6 2\.36/);
  const json = await runCommand(["image", "diff", one, other, "--json"]);
  const { changes } = JSON.parse(`${json.stdout}`);
  assert.equal(json.code, 1);
  assert.deepEqual(changes, [
    { path: "lib/libc.so.6", input: "libc6 2.36", before: sha256("one"), after: sha256("other") },
  ]);
});

test("image digest without an image says how to build one", async (t) => {
  const empty = createFiles(t, {});
  const { code, stderr } = await runCommand(["image", "digest"], {
    env: { XDG_CACHE_HOME: empty },
  });
  assert.equal(code, 125);
  assert.match(stderr, /no image is built; 'donjon image build' builds one/);
});

test("image build refuses a folder that is there, a wrong lock and packages that are not, and leaves nothing", async (t) => {
  const folder = createFiles(t, { "lock.json": "{}" });
  const here = await runCommand(["image", "build", "--output", folder]);
  assert.equal(here.code, 125);
  assert.match(here.stderr, /is there already/);
  const output = join(folder, "out");
  const wrong = await runCommand([
    "image",
    "build",
    "-o",
    output,
    "--lock",
    join(folder, "lock.json"),
  ]);
  assert.match(wrong.stderr, /not of the format/);
  const none = await runCommand(["image", "build", "-o", output, "--packages", folder, "--json"]);
  assert.equal(none.code, 125);
  assert.equal(JSON.parse(none.stderr).error.code, "image/packages");
  assert.equal(existsSync(output), false);
});

test("a folder that is no image is an error, and no command of 'image' an error of usage", async (t) => {
  const folder = createFiles(t, { "image.json": "[]" });
  for (const args of [
    ["image", "digest", folder],
    ["image", "diff", folder, folder],
  ]) {
    const { code, stderr } = await runCommand(args);
    assert.equal(code, 125);
    assert.match(stderr, /no record of the format/);
  }
  const none = await runCommand(["image", "diff", join(folder, "none"), folder]);
  assert.match(
    none.stderr,
    /^donjon: '\S+\/none\/image\.json' cannot be read as the record of an image: no such file or directory\n/,
  );
  const unknown = await runCommand(["image", "bild"]);
  assert.equal(unknown.code, 125);
  assert.match(unknown.stderr, /bild/);
});

test("the lock is what the command was built with, and the engine in it is the one that runs", async () => {
  const { engine } = JSON.parse(readFileSync(LOCK, "utf8"));
  assert.equal(`v${engine.version}`, process.version);
});
