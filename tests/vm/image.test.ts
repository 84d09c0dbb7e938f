/** The seed of the project: the same image, with the same digest, in both kinds of Keep. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { it } from "node:test";
import type { Backend } from "@donjon/host/backend/backend";
import { createProcessBackend } from "@donjon/host/backend/process";
import { searchImage } from "@donjon/host/image/find";
import { startKeep } from "@donjon/testkit/contract/keep-fixture";
import { findVm } from "./support.ts";

const source = {
  engine: process.execPath,
  runtime: join(import.meta.dirname, "../../packages/keep/dist/keep.cjs"),
};
const vm = await findVm();

/** What the Keep says from the inside, and what its host says was launched. */
async function readDigests(backend: Backend): Promise<string[]> {
  await using under = startKeep(backend);
  return [await under.gate.imageDigest(), (await under.keep.measure()).imageDigest];
}

it("says the built image's digest from inside a process Keep and from inside a VM Keep", {
  skip: vm.skip,
}, async () => {
  if (vm.skip !== false) return;
  const { image } = searchImage(source);
  assert.deepEqual(await readDigests(createProcessBackend(source)), [image!.digest, image!.digest]);
  assert.deepEqual(await readDigests(vm.backend), [image!.digest, image!.digest]);
});
