import assert from "node:assert/strict";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { startKeep } from "@donjon/testkit/contract/keep-fixture";
import { createProcessBackend } from "../../src/backend/process.ts";
import { digestTree } from "../../src/image/digest.ts";
import { hashFile } from "../../src/image/hash-cache.ts";
import { measureProcessLaunch } from "../../src/image/launch.ts";

const folder = mkdtempSync(join(tmpdir(), "donjon-launch-"));
after(() => rmSync(folder, { recursive: true }));
const LONG_AGO = new Date(2020, 0, 1);
const runtime = join(import.meta.dirname, "../../../keep/dist/keep.cjs");

function writeTree(name: string) {
  const files = [
    ["keep/engine", "engine"],
    ["lib/libc.so.6", "library"],
  ] as const;
  return files.map(([path, text]) => {
    const source = join(folder, name, path);
    mkdirSync(join(source, ".."), { recursive: true });
    writeFileSync(source, text, { mode: 0o644 });
    utimesSync(source, LONG_AGO, LONG_AGO);
    return { path, source };
  });
}

test("one changed byte of any launched file changes digest and measurement, and the old byte brings them back", () => {
  const files = writeTree("tamper");
  const before = measureProcessLaunch(files, ["--flag"]);
  assert.equal(before.measurement.length, 32);
  for (const { source } of files) {
    const good = readFileSync(source);
    const bad = Buffer.from(good);
    bad[bad.length - 1]! ^= 1;
    writeFileSync(source, bad);
    // The same size and the same mtime: only ctime tells.
    utimesSync(source, LONG_AGO, LONG_AGO);
    const changed = measureProcessLaunch(files, ["--flag"]);
    assert.notEqual(changed.imageDigest, before.imageDigest);
    assert.notDeepEqual(changed.measurement, before.measurement);
    writeFileSync(source, good);
    assert.deepEqual(measureProcessLaunch(files, ["--flag"]), before);
  }
});

test("other engine flags, another mode or another name change the measurement", () => {
  const files = writeTree("flags");
  const { measurement } = measureProcessLaunch(files, ["--a", "--b"]);
  assert.notDeepEqual(measureProcessLaunch(files, ["--a,--b"]).measurement, measurement);
  assert.notDeepEqual(measureProcessLaunch(files, ["--a"]).measurement, measurement);
  const { digest } = digestTree(files);
  const renamed = files.map((file) => ({ ...file, path: file.path.replace("libc", "libd") }));
  assert.notEqual(digestTree(renamed).digest, digest);
  chmodSync(files[0]!.source, 0o755);
  assert.notEqual(digestTree(files).digest, digest);
});

test("a started process Keep measures the very files that it was started from", async () => {
  const own = join(folder, "keep.cjs");
  copyFileSync(runtime, own);
  const backend = createProcessBackend({ engine: process.execPath, runtime: own });
  await using first = startKeep(backend);
  const launch = await first.keep.measure();
  assert.equal(launch.tee, "sgx");
  assert.equal(await first.keep.measure(), launch);
  assert.match(first.keep.image, /no image is built/);
  writeFileSync(own, "\n", { flag: "a" });
  await using second = startKeep(backend);
  assert.notEqual((await second.keep.measure()).imageDigest, launch.imageDigest);
});

test("a remembered hash is not believed when others could have written it", async (t) => {
  const [file] = writeTree("cache");
  const cache = join(folder, "hashes");
  const { sha256 } = hashFile(file!.source, cache);
  // Fresh files are not remembered: they may change again within one tick of the clock.
  assert.throws(() => readdirSync(cache), /ENOENT/);
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 10_000 });
  hashFile(file!.source, cache);
  const [entry] = readdirSync(cache).map((name) => join(cache, name));
  const forged = readFileSync(entry!, "latin1").replace(sha256, "0".repeat(64));
  writeFileSync(entry!, forged);
  // The same user may forge its own cache, and only itself by that.
  assert.equal(hashFile(file!.source, cache).sha256, "0".repeat(64));
  chmodSync(entry!, 0o622);
  assert.equal(hashFile(file!.source, cache).sha256, sha256);
  chmodSync(entry!, 0o600);
  writeFileSync(entry!, "nonsense");
  assert.equal(hashFile(file!.source, cache).sha256, sha256);
});

test("files that others may change are hashed each time", (t) => {
  const [file] = writeTree("shared");
  const cache = join(folder, "hashes-shared");
  chmodSync(file!.source, 0o666);
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 10_000 });
  hashFile(file!.source, cache);
  assert.throws(() => readdirSync(cache), /ENOENT/);
});

test("what is no regular file cannot be hashed", () => {
  assert.throws(() => hashFile(folder), { code: "files/read" });
  assert.throws(() => hashFile(join(folder, "missing")), { code: "files/read" });
});
