import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, describe, test } from "node:test";
import { zstdDecompressSync } from "node:zlib";
import { buildImage } from "../../src/image/build.ts";
import { checkImage, compareImages } from "../../src/image/check.ts";
import { searchImage } from "../../src/image/find.ts";
import { readRecord } from "../../src/image/record.ts";
import { storeImage } from "../../src/image/store.ts";
import { readCpio } from "./cpio-reader.ts";
import { createInputs, sha256 } from "./synthetic.ts";

const TEXTS = { engine: "engine", runtime: "runtime", kernel: "kernel", library: "library" };
const folder = mkdtempSync(join(tmpdir(), "donjon-build-"));
after(() => rmSync(folder, { recursive: true }));
let count = 0;
const newFolder = () => join(folder, String(count++));

/** Every file and folder with its mode, times and contents. */
function listAll(directory: string) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const { mode, mtimeMs } = statSync(path);
      const contents = entry.isFile() ? sha256(readFileSync(path)) : null;
      return { path: relative(directory, path), mode, mtimeMs, contents };
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

describe("an image", { skip: !hasDpkg() && "dpkg-deb is not installed" }, () => {
  test("has the same bytes, modes and times wherever it is built, whatever the umask", async () => {
    const inputs = createInputs(newFolder(), TEXTS);
    const one = await buildImage(inputs, newFolder());
    const mask = process.umask(0o077);
    const other = await buildImage(inputs, newFolder()).finally(() => process.umask(mask));
    assert.deepEqual(listAll(other.files.directory), listAll(one.files.directory));
    assert.deepEqual(compareImages(one.record, other.record), []);
    assert.ok(listAll(one.files.directory).length > 15);
  });

  test("names no package while it is built, since fetching has named those it had to get", async () => {
    const told: string[] = [];
    const onProgress = (what: string) => void told.push(what);
    const inputs = createInputs(newFolder(), TEXTS);
    await buildImage({ ...inputs, onProgress }, newFolder());
    const files = `files of ${inputs.lock.packages.length} packages`;
    assert.deepEqual(told, ["engine", files, "kernel", "initrd", "initrd, compressed"]);
  });

  test("packs its tree, modules and first process into an initrd, in both forms", async () => {
    const { files, record } = await buildImage(createInputs(newFolder(), TEXTS), newFolder());
    const archive = readFileSync(files.initrd);
    assert.deepEqual(zstdDecompressSync(readFileSync(files.initrdCompressed)), archive);
    const entries = readCpio(archive);
    const modeOf = new Map(entries.map(({ path, mode }) => [path, mode.toString(8)]));
    for (const { path, sha256: digest, executable } of record.tree) {
      assert.equal(sha256(entries.find((entry) => entry.path === path)!.contents), digest, path);
      assert.equal(modeOf.get(path), executable ? "100755" : "100644");
    }
    for (const path of ["init", "keep/engine", "lib64/ld-linux-x86-64.so.2"])
      assert.equal(modeOf.get(path), "100755", path);
    for (const path of ["dev", "sys", "lib", "modules"]) assert.equal(modeOf.get(path), "40755");
    assert.ok(modeOf.has("modules/tsm.ko.xz"));
    assert.doesNotMatch(readFileSync(files.cmdline, "utf8"), /[\n\0]/);
  });

  test("leaves symbols of the engine out", async () => {
    const { files } = await buildImage(createInputs(newFolder(), TEXTS), newFolder());
    const engine = readFileSync(join(files.tree, "keep/engine"), "latin1");
    assert.ok(engine.endsWith("engine"));
  });

  for (const [part, path, input] of [
    ["engine", "keep/engine", /node 1\.0\.0/],
    ["runtime", "keep/runtime.cjs", /runtime of Donjon/],
    ["library", "lib/libc.so.6", /libsynthetic/],
  ] as const) {
    test(`with one byte of its ${part} changed has another digest, and diff names it`, async () => {
      const before = await buildImage(createInputs(newFolder(), TEXTS), newFolder());
      const changed = { ...TEXTS, [part]: `${TEXTS[part].slice(0, -1)}X` };
      const after = await buildImage(createInputs(newFolder(), changed), newFolder());
      assert.notEqual(after.record.digest, before.record.digest);
      const [first, ...rest] = compareImages(before.record, after.record);
      assert.equal(first!.path, path);
      assert.match(first!.input, input);
      // What is made from all parts changes with each.
      assert.deepEqual(
        rest.map((each) => each.path),
        ["initrd.cpio", "initrd.cpio.zst"],
      );
    });
  }

  test("with another kernel keeps its digest, which is over the tree, and diff names the kernel", async () => {
    const before = await buildImage(createInputs(newFolder(), TEXTS), newFolder());
    const after = await buildImage(
      createInputs(newFolder(), { ...TEXTS, kernel: "kernel two" }),
      newFolder(),
    );
    assert.equal(after.record.digest, before.record.digest);
    const changes = compareImages(before.record, after.record);
    assert.deepEqual(
      changes.map(({ path }) => path),
      ["kernel", "vmlinux"],
    );
    assert.match(changes[0]!.input, /linux-synthetic/);
  });

  test("is not built from an input that is not the locked one, which is named", async () => {
    const inputs = createInputs(newFolder(), TEXTS);
    appendFileSync(join(inputs.packages, "libsynthetic_1.0-1_amd64.deb"), "x");
    const target = newFolder();
    await assert.rejects(buildImage(inputs, target), {
      code: "image/changed",
      message: /libsynthetic/,
    });
    const other = createInputs(newFolder(), TEXTS);
    appendFileSync(other.source.engine, "x");
    await assert.rejects(buildImage(other, target), {
      code: "image/changed",
      message: /node 1\.0\.0/,
    });
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith(".donjon-image-")),
      [],
    );
    await assert.rejects(buildImage(other, folder), { code: "files/write" });
  });

  test("that was changed is found out, file by file", async () => {
    const { files } = await buildImage(createInputs(newFolder(), TEXTS), newFolder());
    const record = readRecord(files.directory);
    assert.deepEqual(checkImage(files.directory, record), []);
    const library = join(files.tree, "lib/libc.so.6");
    writeFileSync(library, "librarY");
    writeFileSync(join(files.tree, "lib/more.so"), "");
    chmodSync(join(files.tree, "keep/runtime.cjs"), 0o755);
    rmSync(files.cmdline);
    const found = checkImage(files.directory, record).map(({ path }) => path);
    assert.deepEqual(found, ["keep/runtime.cjs", "lib/libc.so.6", "cmdline", "lib/more.so"]);
  });

  test("in the cache is found until engine, runtime or its own files change, and built once", async () => {
    const cache = newFolder();
    const inputs = createInputs(newFolder(), TEXTS);
    const { source } = inputs;
    assert.deepEqual(searchImage(source, cache), { image: null, why: "no image is built" });
    const first = await storeImage(inputs, cache);
    assert.equal(first.isNew, true);
    assert.deepEqual(searchImage(source, cache), { image: first.files });
    assert.equal((await storeImage(inputs, cache)).isNew, false);

    writeFileSync(source.runtime, "runtimE");
    assert.match((searchImage(source, cache) as { why: string }).why, /older than/);
    const second = await storeImage(inputs, cache);
    assert.equal(second.isNew, true);
    assert.deepEqual(searchImage(source, cache), { image: second.files });
    // The image that was replaced a moment ago may still be starting a Keep.
    assert.equal(readRecord(first.files.directory).digest, first.record.digest);

    const library = join(second.files.tree, "lib/libc.so.6");
    writeFileSync(library, "Library");
    utimesSync(library, 0, 0);
    assert.match((searchImage(source, cache) as { why: string }).why, /changed at .*libc/);
    const third = await storeImage(inputs, cache);
    assert.deepEqual(third.record, second.record);
    assert.equal(readFileSync(library, "utf8"), "library");
    assert.deepEqual(searchImage(source, cache), { image: third.files });
  });

  test("that nothing points to any more is deleted, and so is an interrupted build, but not at once", async (t) => {
    const cache = newFolder();
    const gone = createInputs(newFolder(), TEXTS);
    const first = await storeImage(gone, cache);
    rmSync(gone.source.runtime);
    mkdirSync(join(cache, "draft-interrupted"));
    await storeImage(createInputs(newFolder(), { ...TEXTS, runtime: "two" }), cache);
    assert.ok(existsSync(first.files.directory));
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 2 * 3_600_000 });
    const kept = await storeImage(createInputs(newFolder(), { ...TEXTS, runtime: "three" }), cache);
    assert.equal(existsSync(first.files.directory), false);
    assert.equal(existsSync(join(cache, "draft-interrupted")), false);
    const folders = readdirSync(cache).filter((name) => !name.endsWith(".json"));
    assert.equal(folders.length, 2);
    assert.ok(existsSync(kept.files.kernel));
  });

  test("built twice at once is there once, and whole", async () => {
    const cache = newFolder();
    const inputs = createInputs(newFolder(), TEXTS);
    const [one, other] = await Promise.all([storeImage(inputs, cache), storeImage(inputs, cache)]);
    assert.deepEqual(one.files, other.files);
    assert.deepEqual(searchImage(inputs.source, cache), { image: one.files });
    assert.deepEqual(checkImage(one.files.directory, one.record), []);
  });

  test("of another runtime does not take the first one's place", async () => {
    const cache = newFolder();
    const one = createInputs(newFolder(), TEXTS);
    const other = createInputs(newFolder(), { ...TEXTS, runtime: "another" });
    const [first, second] = [await storeImage(one, cache), await storeImage(other, cache)];
    assert.notEqual(first.record.digest, second.record.digest);
    assert.deepEqual(searchImage(one.source, cache), { image: first.files });
    assert.deepEqual(searchImage(other.source, cache), { image: second.files });
  });
});

function hasDpkg(): boolean {
  try {
    execFileSync("dpkg-deb", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
