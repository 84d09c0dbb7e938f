/** What a manifest says about descriptor numbers, against the table of an instance that is made of it. */
import assert from "node:assert/strict";
import { after, it } from "node:test";
import { MessageChannel } from "node:worker_threads";
import { type DirectoryEntry, listDescriptors } from "@donjon/protocol/manifest/descriptor-table";
import type { ManifestDescriptor } from "@donjon/protocol/manifest/manifest";
import { parseManifest } from "@donjon/protocol/manifest/parse";
import { Errno } from "@donjon/wasi/errno";
import { packTree } from "@donjon/wasi/files/pack";
import type { Preview1 } from "@donjon/wasi/p1/preview1";
import { RIGHTS_OF_LISTENER, rightsOfStream } from "@donjon/wasi/p1/rights";
import { Filetype } from "@donjon/wasi/p1/witx";
import fc from "fast-check";
import { CONTROL_WORDS, STDIO_RING_BYTES } from "../../src/runtime/control.ts";
import { createGuest } from "../../src/runtime/guest.ts";
import { type DescriptorGrant, LISTENER_WORDS } from "../../src/runtime/messages.ts";
import { ringBytes } from "../../src/runtime/ring.ts";
import type { DescriptorSpec, WorkloadSpec } from "../../src/runtime/workload.ts";
import { createWorkloadSpec } from "../../src/session/provision.ts";

const DIGEST = "0".repeat(64);
const buffer = new SharedArrayBuffer(ringBytes(STDIO_RING_BYTES));
const control = new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * 4));
const { port1: port, port2 } = new MessageChannel();
after(() => {
  port.close();
  port2.close();
});

/** As the engine room does, with streams that nobody uses. */
function grant(spec: DescriptorSpec): DescriptorGrant {
  const { kind, name } = spec;
  if (kind === "null") return { kind, name };
  if (kind === "listen") {
    const words = new Int32Array(new SharedArrayBuffer(LISTENER_WORDS * 4));
    return { kind, name, words, index: 0, port };
  }
  return { ...spec, stream: { buffer, index: 0 } };
}

function createWasi(spec: WorkloadSpec): Preview1 {
  return createGuest({ ...spec, descriptors: spec.descriptors.map(grant) }, control).wasi;
}

/** Kind and name of every descriptor, from 0 to the first number that is none, as the guest sees them. */
function probe(wasi: Preview1): string[] {
  const memory = new WebAssembly.Memory({ initial: 1 });
  wasi.bindMemory(memory);
  const view = new DataView(memory.buffer);
  const call = (name: string, ...args: number[]): number =>
    (wasi.imports[name] as (...args: number[]) => number)(...args);
  const found: string[] = [];
  for (let fd = 0; call("fd_fdstat_get", fd, 0) === Errno.success; fd++) {
    const filetype = view.getUint8(0);
    const rights = view.getUint32(8, true);
    if (call("fd_prestat_get", fd, 64) === Errno.success) {
      const length = view.getUint32(68, true);
      assert.equal(call("fd_prestat_dir_name", fd, 128, length), Errno.success);
      const name = Buffer.from(memory.buffer, 128, length).toString();
      found.push(`directory ${name}`);
    } else if (filetype !== Filetype.socketStream) {
      const open = [rightsOfStream(true, false, false), rightsOfStream(false, true, false)];
      found.push(["input", "output"][open.indexOf(rights)] ?? "both");
    } else found.push(rights === RIGHTS_OF_LISTENER ? "listener" : "connection");
  }
  return found;
}

/** What `probe` must find for an entry of the manifest's list. */
function expected({ kind, name }: ManifestDescriptor | DirectoryEntry): string {
  const kinds = {
    null: "both",
    stdin: "input",
    stdout: "output",
    stderr: "output",
    listen: "listener",
    connect: "connection",
    directory: `directory ${name}`,
  };
  return kinds[kind];
}

const socket = fc.constantFrom("listen", "connect");
const standard = fc.constantFrom("null", "stdin", "stdout", "stderr");
const mount = fc.constantFrom("memory", "packed");
const directory = fc.constantFrom("/s", "/s/t", "/run/secrets");

function encodeSocket(kind: string, index: number): string {
  const place = kind === "listen" ? "" : 'host = "h"\n';
  return `name = "${kind}${index}"\nprotocol = "tcp"\nport = 1\n${place}`;
}

/** A table written out, or stdio and sockets; mounts; secret files. */
const manifests = fc
  .record({
    explicit: fc.boolean(),
    first: fc.array(standard, { minLength: 3, maxLength: 3 }),
    sockets: fc.array(socket, { maxLength: 5 }),
    mounts: fc.array(mount, { maxLength: 4 }),
    secrets: fc.array(directory, { maxLength: 4 }),
  })
  .map(({ explicit, first, sockets, mounts, secrets }) =>
    [
      `[workload]\nsha256 = "${DIGEST}"\n`,
      ...(explicit ? first.map((kind) => `[[descriptors]]\nkind = "${kind}"\n`) : []),
      ...sockets.map((kind, i) => {
        if (explicit) return `[[descriptors]]\nkind = "${kind}"\n${encodeSocket(kind, i)}`;
        return `[[${kind === "listen" ? "listeners" : "connections"}]]\n${encodeSocket(kind, i)}`;
      }),
      ...mounts.map((kind, i) => {
        const digest = kind === "packed" ? `sha256 = "${DIGEST}"\n` : "";
        return `[[mounts]]\nkind = "${kind}"\nguest = "/m${i}"\n${digest}`;
      }),
      ...secrets.map((at, i) => `[[secrets]]\nname = "k${i}"\nfile = "${at}/k${i}"\n`),
    ].join("\n"),
  );

/** Values and trees for whatever the manifest names. */
async function specify(text: string) {
  const manifest = parseManifest(new TextEncoder().encode(text));
  const tree = () => packTree([], { times: false, changes: false }, () => []);
  const spec = await createWorkloadSpec(
    {
      manifest,
      manifestDigest: DIGEST,
      module: new Uint8Array(0),
      secrets: new Map(manifest.secrets.map(({ name }) => [name, Uint8Array.of(1)])),
      trees: new Map(manifest.mounts.map(({ guest }) => [guest, tree()])),
      terminals: [],
      detached: false,
      timeMs: 0,
    },
    0n,
    // Only kind and name count here: no stream is ever touched.
    async ({ name }) => ({ kind: "connect", name, stream: null as never }),
  );
  return { manifest, spec };
}

it("the running table is the one that the manifest lists and FD_NAMES names", async () => {
  await fc.assert(
    fc.asyncProperty(manifests, async (text) => {
      const { manifest, spec } = await specify(text);
      const listed = listDescriptors(manifest);
      const wasi = createWasi(spec);
      assert.deepEqual(probe(wasi), listed.map(expected));
      wasi.close();
      const names = manifest.env.get("FD_NAMES");
      if (names === undefined) assert.equal(manifest.descriptors.length, 3);
      else
        assert.deepEqual(
          names.split(":"),
          listed.map(({ name }) => name),
        );
      const listeners = Number(manifest.env.get("LISTEN_FDS") ?? 0);
      for (let fd = 3; fd < 3 + listeners; fd++) assert.equal(listed[fd]!.kind, "listen");
    }),
    { numRuns: 300 },
  );
});

it("a secret that is a file is in the directory that holds it", async () => {
  const mounts = '[[mounts]]\nkind = "memory"\nguest = "/tmp"\n';
  const secret = (name: string, file: string) =>
    `[[secrets]]\nname = "${name}"\nfile = "${file}"\n`;
  const secrets = [secret("a", "/z/1"), secret("b", "/a/1"), secret("c", "/z/2")].join("");
  const { spec } = await specify(`[workload]\nsha256 = "${DIGEST}"\n${mounts}${secrets}`);
  const value = Uint8Array.of(1);
  assert.deepEqual(spec.mounts, [
    { kind: "memory", guest: "/tmp" },
    {
      kind: "secrets",
      guest: "/z",
      files: new Map([
        ["1", value],
        ["2", value],
      ]),
    },
    { kind: "secrets", guest: "/a", files: new Map([["1", value]]) },
  ]);
});
