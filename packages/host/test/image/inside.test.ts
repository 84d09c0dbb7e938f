/** What a Keep says of its image from the inside, beside what the host says of it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { startKeep } from "@donjon/testkit/contract/keep-fixture";
import { createProcessBackend } from "../../src/backend/process.ts";
import { searchImage } from "../../src/image/find.ts";
import { withVmBackend } from "../backend/vm-backend.ts";

const source = {
  engine: process.execPath,
  runtime: join(import.meta.dirname, "../../../keep/dist/keep.cjs"),
};

test("a process Keep finds the same image digest from the inside as the host from the outside", async (t) => {
  await using under = startKeep(createProcessBackend(source));
  assert.equal((await under.gate.health()).state, "new");
  if (!under.keep.sandbox.startsWith("bubblewrap")) return t.skip("bubblewrap does not work here");
  const { imageDigest } = await under.keep.measure();
  // Asked twice at once, answered twice.
  const answers = await Promise.all([under.gate.imageDigest(), under.gate.imageDigest()]);
  assert.deepEqual(answers, [imageDigest, imageDigest]);
  const built = searchImage(source).image;
  if (built !== null) assert.equal(imageDigest, built.digest);
});

test("a Keep without walls of the operating system may read no file and says so", async () => {
  await using under = startKeep(createProcessBackend(source, { bubblewrap: false }));
  await assert.rejects(under.gate.imageDigest(), /may read no files/);
});

const SAME =
  "a VM Keep and a process Keep find the same image digest, and it is that of the built image";
await withVmBackend(SAME, (backend) =>
  test(SAME, { timeout: 60_000 }, async () => {
    await using machine = startKeep(backend);
    await using child = startKeep(createProcessBackend(source));
    const [fromMachine, fromChild] = await Promise.all([
      machine.gate.imageDigest(),
      child.gate.imageDigest(),
    ]);
    assert.equal(fromMachine, searchImage(source).image?.digest);
    assert.equal(fromChild, fromMachine);
    assert.equal((await machine.keep.measure()).imageDigest, fromMachine);
  }),
);
