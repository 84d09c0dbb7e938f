import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeImageListing, type ImageEntry, MAX_IMAGE_FILES } from "../../src/image/listing.ts";

const digest = "ab".repeat(32);
const entry = (path: string): ImageEntry => ({ path, executable: false, size: 1, sha256: digest });

test("a listing is its header and one line for each file, sorted by path, in whatever order they come", () => {
  const entries = [{ ...entry("lib/b"), executable: true }, entry("keep/engine"), entry("lib/a")];
  const text = `donjon/image/1\n${digest} 644 1 keep/engine\n${digest} 644 1 lib/a\n${digest} 755 1 lib/b\n`;
  fc.assert(
    fc.property(fc.shuffledSubarray(entries, { minLength: entries.length }), (shuffled) => {
      assert.equal(new TextDecoder().decode(encodeImageListing(shuffled)), text);
    }),
  );
});

test("names that no tree has are refused", () => {
  for (const path of [
    "keep/../etc/passwd",
    "keep",
    "/keep/a",
    "etc/passwd",
    "lib/a b",
    "lib/a\nb",
    "lib/.hidden",
    "lib/a/b",
    "lib/\u00e9",
  ]) {
    assert.throws(() => encodeImageListing([entry(path)]), { code: "bytes/invalid" }, path);
  }
});

test("a name that is there twice, a size that is none and a hash that is none are refused", () => {
  assert.throws(() => encodeImageListing([entry("lib/a"), entry("lib/a")]), {
    code: "bytes/invalid",
  });
  for (const size of [-1, 1.5, 2 ** 31, Number.NaN])
    assert.throws(() => encodeImageListing([{ ...entry("lib/a"), size }]), {
      code: "bytes/invalid",
    });
  assert.throws(() => encodeImageListing([{ ...entry("lib/a"), sha256: "AB".repeat(32) }]), {
    code: "bytes/invalid",
  });
});

test("more files than the limit are refused", () => {
  const many = Array.from({ length: MAX_IMAGE_FILES + 1 }, (_, i) => entry(`lib/${i}`));
  assert.throws(() => encodeImageListing(many), { code: "bytes/limit" });
});
