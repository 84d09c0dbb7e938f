import assert from "node:assert/strict";
import { Duplex, duplexPair } from "node:stream";
import { test } from "node:test";
import { openGatePipe } from "@donjon/protocol/gate/pipe";
import type { EvidenceSource } from "../../src/gate/evidence.ts";
import { openGate } from "../../src/gate/gate.ts";

/** A Keep's end of the pipe `out`, with a host behind it that has this source. */
function openKeepSide(evidence: EvidenceSource | null) {
  const [, hostIn] = duplexPair();
  const [outside, hostOut] = duplexPair();
  const started = {
    in: hostIn,
    out: hostOut,
    lane: null,
    ended: new Promise<never>(() => {}),
    sandbox: "none",
    image: "none",
    measure: () => Promise.reject(new Error("nothing was launched")),
    kill: () => {},
  };
  openGate(started, { onConsole: () => {}, evidence });
  return openGatePipe(outside, { role: "caller", Duplex });
}

async function readAll(stream: Duplex): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

test("a Keep that asks for evidence gets what the source gives for its report data", async () => {
  let asked: Uint8Array | null = null;
  const keep = openKeepSide(async (reportData) => {
    asked = reportData;
    return { tee: "sgx", evidence: Buffer.from("quote"), auxiliary: Buffer.from("table") };
  });
  const reportData = Buffer.alloc(64, 9);
  const stream = keep.open("evidence");
  stream.end(reportData);
  assert.equal(
    (await readAll(stream)).toString("latin1"),
    "\u0003\u0000\u0000\u0000\u0005quotetable",
  );
  assert.deepEqual(Buffer.from(asked!), reportData);
});

test("report data of another length gets no evidence", async () => {
  let asked = 0;
  const keep = openKeepSide(async () => {
    asked += 1;
    throw new Error("not to be asked");
  });
  for (const length of [0, 63, 65, 100_000]) {
    const stream = keep.open("evidence");
    stream.end(Buffer.alloc(length));
    await assert.rejects(readAll(stream), { code: "gate/closed" }, `${length} octets`);
  }
  assert.equal(asked, 0);
});

test("a source that fails, or is not there, is an error of the stream", async () => {
  const failing = openKeepSide(() => Promise.reject(new Error("no")));
  const stream = failing.open("evidence");
  stream.end(Buffer.alloc(64));
  await assert.rejects(readAll(stream), { code: "gate/closed" });
  const none = openKeepSide(null).open("evidence");
  await assert.rejects(readAll(none), { code: "gate/refused", message: /simulates no evidence/ });
});

test("a Keep that asks without end is answered so many at once, and no more", async () => {
  const waiting: (() => void)[] = [];
  const keep = openKeepSide(
    () =>
      new Promise((resolve) => {
        const evidence = {
          tee: "sgx",
          evidence: Buffer.alloc(1),
          auxiliary: Buffer.alloc(0),
        } as const;
        waiting.push(() => resolve(evidence));
      }),
  );
  const ask = () => {
    const stream = keep.open("evidence");
    stream.end(Buffer.alloc(64));
    return readAll(stream);
  };
  const first = Array.from({ length: 64 }, ask);
  await assert.rejects(ask(), { code: "gate/refused", message: /64 calls/ });
  for (const go of waiting) go();
  assert.equal((await Promise.all(first)).length, 64);
  const again = ask();
  while (waiting.length < 65) await new Promise((resolve) => setImmediate(resolve));
  waiting[64]!();
  assert.equal((await again).length, 6);
});
