import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { DonjonError } from "@donjon/core/errors";
import { openModule, readAll } from "../../src/run/content.ts";

const LARGE = (1 << 20) + 5;

function writeModule(
  t: TestContext,
  size: number,
): { path: string; bytes: Buffer; digest: string } {
  const directory = mkdtempSync(join(tmpdir(), "donjon-content-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "a.wasm");
  const bytes = randomBytes(size);
  writeFileSync(path, bytes);
  return { path, bytes, digest: createHash("sha256").update(bytes).digest("hex") };
}

const refuse = (found: string) => {
  throw new DonjonError("manifest/digest", found);
};

test("a module is read whole with its digest, whether at once or later", (t) => {
  for (const size of [0, 100, LARGE]) {
    const { path, bytes, digest } = writeModule(t, size);
    const checked: string[] = [];
    const module = openModule(path, (found) => checked.push(found));
    assert.equal(module.bytes.length, size);
    assert.deepEqual(checked, size === LARGE ? [] : [digest]);
    assert.equal(module.sha256().length, digest.length);
    assert.ok(bytes.equals(readAll(module.bytes)));
    assert.equal(module.sha256(), digest);
    assert.deepEqual(checked, [digest]);
  }
});

test("a module with another digest than the one that is pinned is refused before all of it counts as read", (t) => {
  const small = writeModule(t, 100);
  assert.throws(() => openModule(small.path, refuse), { message: small.digest });
  const large = writeModule(t, LARGE);
  const module = openModule(large.path, refuse);
  assert.throws(() => readAll(module.bytes), { code: "manifest/digest", message: large.digest });
});

test("a large module that grows, shrinks or goes away before it was read is refused", (t) => {
  const changes: Readonly<Record<string, readonly [(path: string) => void, object]>> = {
    grows: [(path) => appendFileSync(path, "x"), { code: "files/read", message: /changed/ }],
    shrinks: [(path) => truncateSync(path, 9), { code: "files/read", message: /changed/ }],
    "goes away": [
      (path) => rmSync(path),
      { code: "workload/not-found", message: /cannot be read/ },
    ],
  };
  for (const [what, [change, error]] of Object.entries(changes)) {
    const { path } = writeModule(t, LARGE);
    const { bytes } = openModule(path, () => {});
    change(path);
    assert.throws(() => readAll(bytes), error, what);
  }
});
