import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { type Duplex, duplexPair } from "node:stream";
import { describe, it } from "node:test";
import type { Workload } from "../../src/runtime/workload.ts";
import { readAll, readable, STDIO, startGuest } from "./harness.ts";

const LISTENING = [...STDIO, { kind: "listen", name: "web" }] as const;

/** Sends `total` bytes of a repeated block, waiting whenever the ring is full; answers their hash. */
async function feed(workload: Workload, block: Buffer, total: number): Promise<string> {
  const hash = createHash("sha256");
  for (let sent = 0; sent < total; ) {
    const at = sent % block.length;
    const count = workload.stdin.write(
      block.subarray(at, at + Math.min(total - sent, block.length - at)),
    );
    hash.update(block.subarray(at, at + count));
    sent += count;
    if (count === 0) {
      await new Promise<void>((resolve) => {
        workload.stdin.onWritable = resolve;
      });
    }
  }
  workload.stdin.end();
  return hash.digest("hex");
}

async function hashOf(workload: Workload): Promise<string> {
  const hash = createHash("sha256");
  for (;;) {
    await readable(workload.stdout);
    const bytes = workload.stdout.read();
    if (bytes === undefined) return hash.digest("hex");
    if (bytes === null) continue;
    hash.update(bytes);
    workload.stdout.consume(bytes.length);
  }
}

describe("stdio", () => {
  it("carries 64 MiB through a guest in order", async (t) => {
    const workload = startGuest(t, { guest: "echo" });
    const [sent, got] = await Promise.all([
      feed(workload, randomBytes(1_000_003), 64 << 20),
      hashOf(workload),
    ]);
    assert.equal(got, sent);
    assert.deepEqual((await workload.result).outcome, { kind: "exit", code: 0 });
  });

  it("carries 8 MiB through all places of a memory of 4 GiB, in order", async (t) => {
    const limits = { memoryBytes: 2 ** 32 };
    const workload = startGuest(t, { guest: "echo-high", limits });
    const [sent, got] = await Promise.all([
      feed(workload, randomBytes(1_000_003), 8 << 20),
      hashOf(workload),
    ]);
    assert.equal(got, sent);
    assert.deepEqual((await workload.result).outcome, { kind: "exit", code: 0 });
  });

  it("delivers what was written before the exit, after it", async (t) => {
    const workload = startGuest(t, { guest: "echo" });
    workload.stdin.write(Buffer.from("last words"));
    workload.stdin.end();
    await workload.result;
    assert.equal((await readAll(workload.stdout)).toString(), "last words");
  });

  it("holds a guest back when nobody reads, and memory does not grow", async (t) => {
    const workload = startGuest(t, { guest: "flood" });
    const source = workload.stdout;
    await readable(source);
    let before = 0;
    let total = 0;
    for (let turn = 0; turn < 200; turn++) {
      await readable(source);
      const bytes = source.read();
      assert.ok(bytes instanceof Uint8Array);
      total += bytes.length;
      source.consume(bytes.length);
      if (turn === 20) before = process.memoryUsage().rss;
    }
    assert.ok(total > 4 << 20, `${total} bytes`);
    assert.ok(process.memoryUsage().rss - before < 32 << 20);
    workload.stop("kill");
    await workload.result;
  });
});

describe("listeners", () => {
  it("refuses a connection for a listener that does not exist", (t) => {
    const workload = startGuest(t, { guest: "spin", descriptors: LISTENING });
    assert.equal(workload.accept("ftp", duplexPair()[0]), false);
  });

  it("serves 1,000 connections that came at once", async (t) => {
    const count = 1000;
    const limits = { descriptors: count + 8 };
    const workload = startGuest(t, { guest: "serve", argc: count, descriptors: LISTENING, limits });
    const clients: Duplex[] = [];
    for (let i = 0; i < count; i++) {
      const [client, server] = duplexPair();
      assert.equal(workload.accept("web", server), true);
      client.write(Buffer.of(i & 255));
      clients.push(client);
    }
    const answers = await Promise.all(clients.map((client) => client.toArray()));
    assert.deepEqual((await workload.result).outcome, { kind: "exit", code: 0 });
    const expected = clients.map((_, i) => Buffer.of(i & 255));
    assert.deepEqual(
      answers.map((pieces) => Buffer.concat(pieces)),
      expected,
    );
  });

  it("shows the end of a connection that had closed before it was handed over", async (t) => {
    const workload = startGuest(t, { guest: "serve", argc: 1, descriptors: LISTENING });
    const [, server] = duplexPair();
    server.destroy();
    await new Promise((resolve) => server.once("close", resolve));
    assert.equal(workload.accept("web", server), true);
    // It reads nothing, and cannot answer.
    assert.deepEqual((await workload.result).outcome, { kind: "exit", code: 3 });
  });

  it("forgets a connection that its peer closes before it is accepted", async (t) => {
    const workload = startGuest(t, { guest: "serve", argc: 20, descriptors: LISTENING });
    for (let i = 0; i < 100; i++) {
      const [, server] = duplexPair();
      workload.accept("web", server);
      server.destroy();
    }
    await new Promise(setImmediate);
    workload.stop("kill");
    assert.deepEqual((await workload.result).outcome, { kind: "stopped", how: "kill" });
    assert.equal(workload.accept("web", duplexPair()[0]), false);
  });
});
