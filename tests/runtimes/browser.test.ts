/** What stands in for Node's modules in a page can fail, and says so. */
import assert from "node:assert/strict";
import { test } from "node:test";
import pageAssert from "./browser/assert.ts";
import { Buffer as PageBuffer } from "./browser/buffer.ts";
import { before, test as pageTest, runAll, startFile } from "./browser/test.ts";

test("the page's runner counts what passed, failed and was skipped", async () => {
  startFile("one");
  pageTest("good", () => undefined);
  pageTest("bad", () => Promise.reject(new Error("no")));
  pageTest("bad part", (t) => t.test("part", () => pageAssert.ok(false)));
  pageTest("left", { skip: "why" }, () => undefined);
  startFile("two");
  before(() => {
    throw new Error("not ready");
  });
  pageTest("never run", () => undefined);
  const started: string[] = [];
  const { passed, failed, skipped } = await runAll((name) => started.push(name));
  assert.equal(passed, 1);
  assert.deepEqual(
    failed.map((text) => text.split("\n")[0]),
    ["one: bad", "one: bad part", "two: before"],
  );
  assert.deepEqual(skipped, ["one: left: why"]);
  assert.equal(started.length, 4);
});

test("the page's assertions fail where Node's do", async () => {
  const boom = () => {
    throw new TypeError("boom");
  };
  const failing: readonly (() => unknown)[] = [
    () => pageAssert.ok(0),
    () => pageAssert.equal(1, "1"),
    () => pageAssert.notEqual(1, 1),
    () => pageAssert.deepEqual([1, { a: 2n }], [1, { a: 3n }]),
    () => pageAssert.deepEqual(new Uint8Array(2), [0, 0]),
    () => pageAssert.deepEqual(new Map([[1, 2]]), new Map([[1, 3]])),
    () => pageAssert.deepEqual({ a: 1 }, { a: 1, b: undefined }),
    () => pageAssert.match("a", /b/),
    () => pageAssert.doesNotMatch("b", /b/),
    () => pageAssert.throws(() => undefined),
    () => pageAssert.throws(boom, /bang/),
    () => pageAssert.throws(boom, RangeError as never),
    () => pageAssert.throws(boom, () => false),
  ];
  for (const run of failing) assert.throws(run, { name: "AssertionError" }, String(run));
  await assert.rejects(pageAssert.rejects(Promise.resolve()), { name: "AssertionError" });
  await assert.rejects(
    pageAssert.rejects(async () => boom(), /bang/),
    { name: "AssertionError" },
  );
  pageAssert.throws(boom, TypeError as never);
  await pageAssert.rejects(async () => boom(), /boom/);
  pageAssert.deepEqual({ a: [1, new Date(0)] }, { a: [1, new Date(0)] });
});

test("the page's Buffer writes what Node's writes", () => {
  const octets = Uint8Array.from({ length: 256 }, (_, index) => index);
  for (const encoding of ["hex", "base64", "base64url", "latin1"] as const) {
    const text = Buffer.from(octets).toString(encoding);
    assert.equal(PageBuffer.from(octets).toString(encoding), text);
    assert.deepEqual([...PageBuffer.from(text, encoding)], [...octets]);
  }
  assert.equal(PageBuffer.concat([octets, octets]).length, 512);
});
