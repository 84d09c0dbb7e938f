import assert from "node:assert/strict";
import { duplexPair } from "node:stream";
import { test } from "node:test";
import { INITIAL_CREDIT } from "@donjon/protocol/limits";
import { CHANNEL, encodeCreditFrame } from "@donjon/protocol/session/frame";
import { openSession } from "../src/session.ts";

/** Calls of `onUpload` for a provision of `size` octets, to a Keep that allows `credits` more, one by one. */
async function watchUpload(size: number, credits: readonly number[]): Promise<[number, number][]> {
  const [keep, stream] = duplexPair();
  const session = openSession(stream);
  session.hello.catch(() => {});
  const calls: [number, number][] = [];
  const workload = new Uint8Array(size - 1);
  const manifest = new Uint8Array(1);
  const provision = { manifest, workload, secrets: new Map(), trees: [] };
  const run = session.provision(provision, (...call) => calls.push(call));
  keep.resume();
  for (const credit of credits) keep.write(encodeCreditFrame(CHANNEL.upload, credit));
  keep.end();
  await assert.rejects(run.result, { code: "session/closed" });
  return calls;
}

test("an upload that fits into the credit is told once, as a whole", async () => {
  assert.deepEqual(await watchUpload(1000, []), [[1000, 1000]]);
});

test("an upload is told as far as the Keep has allowed it", async () => {
  const total = INITIAL_CREDIT + 5000;
  assert.deepEqual(await watchUpload(total, [1000, 3000, 2000]), [
    [INITIAL_CREDIT, total],
    [INITIAL_CREDIT + 1000, total],
    [INITIAL_CREDIT + 4000, total],
    [total, total],
  ]);
});
