import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Errno } from "@donjon/wasi/errno";
import { packTree } from "@donjon/wasi/files/pack";
import { parseTree } from "@donjon/wasi/files/parse-tree";
import type { MountSpec } from "../../src/runtime/workload.ts";
import { readAll, startGuest } from "./harness.ts";

const emptyTree = () => packTree([], { times: false, changes: false }, () => []);
const packed = (guest: string, writable: boolean, bytes = emptyTree()): MountSpec => ({
  kind: "packed",
  guest,
  writable,
  bytes,
});
const secrets = (guest: string, key: Uint8Array): MountSpec => ({
  kind: "secrets",
  guest,
  files: new Map([["key", key]]),
});

describe("files of a workload", () => {
  it("gives back what changed in a writable tree", async (t) => {
    const mounts = [packed("/data", true)];
    const { outcome, changes } = await startGuest(t, { guest: "write-file", mounts }).result;
    assert.deepEqual(outcome, { kind: "exit", code: 0 });
    assert.deepEqual(
      changes.map((one) => one.guest),
      ["/data"],
    );
    const tree = parseTree(changes[0]!.bytes, { maxBytes: 1 << 20 });
    const entry = tree.entries[0];
    assert.ok(tree.entries.length === 1 && entry?.kind === "file" && entry.path === "out");
    assert.equal(Buffer.from(tree.contentOf(entry)).toString(), "hi");
  });

  it("refuses writes to a tree that is read-only, and gives nothing back", async (t) => {
    const mounts = [packed("/data", false)];
    const { outcome, changes } = await startGuest(t, { guest: "write-file", mounts }).result;
    assert.deepEqual(outcome, { kind: "exit", code: Errno.perm });
    assert.deepEqual(changes, []);
  });

  it("gives scratch directories and keeps nothing of them", async (t) => {
    const { outcome, changes } = await startGuest(t, {
      guest: "write-file",
      mounts: [{ kind: "memory", guest: "/tmp" }],
    }).result;
    assert.deepEqual(outcome, { kind: "exit", code: 0 });
    assert.deepEqual(changes, []);
  });

  it("shows secrets as files that cannot be changed", async (t) => {
    const mounts = [secrets("/run/secrets", Buffer.from("hunter2"))];
    const reader = startGuest(t, { guest: "read-file", mounts });
    assert.equal((await readAll(reader.stdout)).toString(), "hunter2");
    const writer = startGuest(t, { guest: "write-file", mounts });
    assert.deepEqual((await writer.result).outcome, { kind: "exit", code: Errno.perm });
  });

  it("holds all files together to one limit", async (t) => {
    const { result } = startGuest(t, {
      guest: "read-file",
      mounts: [secrets("/a", new Uint8Array(600_000)), secrets("/b", new Uint8Array(600_000))],
      limits: { filesBytes: 1_000_000 },
    });
    await assert.rejects(result, { code: "files/limit", message: /'key' of 600000 bytes/ });
  });

  it("refuses a tree that is not well formed", async (t) => {
    const mounts = [packed("/data", false, new Uint8Array(100))];
    const { result } = startGuest(t, { guest: "read-file", mounts });
    await assert.rejects(result, { name: "DonjonError", code: /^bytes\// });
  });
});
