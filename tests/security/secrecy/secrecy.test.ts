/**
 * Everything that a host can keep of Keeps that it runs: the bytes between client and agent and on the Keeps' pipes, the
 * memory of agent and wardens, logs, files, arguments and environments. What the owner plants is nowhere in it; what
 * is leaked on purpose is found in each place, so the search is one that finds. A process Keep's own
 * memory holds plaintext, and nothing protects that here: it is not looked at.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { after, describe, test } from "node:test";
import { parseTrust } from "@donjon/attest/simulated-trust";
import { connectAgent } from "@donjon/client/agent/connect";
import { createClientIdentity } from "@donjon/client/attested/identity";
import { openAttestedSession } from "@donjon/client/attested/open";
import { createSimulatedVerifier } from "@donjon/client/attested/verifier";
import { openSession, type Provision, type Run } from "@donjon/client/session";
import {
  encodeCatGuest,
  encodeConnectGuest,
  encodeHelloGuest,
  withCustomSection,
} from "@donjon/testkit/contract/guests";
import { createProvision } from "@donjon/testkit/contract/keep-fixture";
import { listTree, until } from "../../support/processes.ts";
import { searchFiles, searchProcesses } from "./support/host-places.ts";
import { canReadMemory, searchMemory } from "./support/memory.ts";
import { createCore, createNeedles, holds } from "./support/needles.ts";
import { startRecordingProxy } from "./support/recording-proxy.ts";

const PLANTED = createCore();
const LEAKED = createCore();
/** Leaked by being carried, and by nothing else. */
const CARRIED = createCore();
const planted = createNeedles(PLANTED);
const leaked = createNeedles(LEAKED);
const carried = createNeedles(CARRIED);

/** More than all sockets on the way hold. */
const CARRIED_BYTES = 3 << 20;

const folder = mkdtempSync(join(tmpdir(), "donjon-secrecy-"));
const at = (name: string): string => join(folder, name);
for (const name of ["tmp", "recordings", "home"]) mkdirSync(at(name));
const host = startAgent();
const pid = host.pid!;
after(async () => {
  host.kill("SIGTERM");
  if (host.exitCode === null && host.signalCode === null) await once(host, "exit");
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});
await once(host.stdout!, "data");
const proxy = await startRecordingProxy(at("proxy.sock"), at("state/agent.sock"));
after(() => proxy[Symbol.asyncDispose]());
const agent = connectAgent(proxy.address);
const identity = createClientIdentity(Date.now());
const trust = parseTrust(await agent.getSimulatedTrust());
const verify = createSimulatedVerifier(trust, { policy: { sgx: { mrEnclave: "any" } } });

await deployDetached();
const attended = await runAttended();
await leakOnPurpose();
await leakToPeer();

/** The Keeps' engines are the one place where plaintext belongs. */
const [engines, hostProcesses] = split(listTree(pid), ({ pid: each }) => isEngine(each));

describe("what the owner plants in workload, manifest, secret, stdin and stdout is not, and what is leaked is,", () => {
  test("in the bytes between client and agent", () => {
    const bytes = Buffer.concat(proxy.recorded);
    assert.ok(bytes.length > 64 << 10, `${bytes.length} octets were recorded`);
    assert.deepEqual([holds(bytes, planted), holds(bytes, leaked)], [false, true]);
  });

  test("in the bytes on the Keeps' pipes", () => {
    const names = readdirSync(at("recordings"));
    assert.equal(names.filter((name) => name.endsWith(".in")).length, 4);
    assert.deepEqual(searchFiles(at("recordings"), planted), []);
    const found = searchFiles(at("recordings"), leaked);
    assert.deepEqual(found.map(extname).sort(), [".in", ".lane", ".out"]);
  });

  test("in the memory of agent and wardens", async (t) => {
    if (!canReadMemory(pid)) {
      t.skip(
        "NOT TESTED: this machine does not let a process read another's memory (ptrace scope)",
      );
      return;
    }
    const wardens = hostProcesses.filter(({ pid: each }) => isWarden(each));
    assert.equal(wardens.length, 3);
    let bytes = 0;
    for (const { pid: each } of hostProcesses) {
      const search = searchMemory(each, [planted]);
      bytes += search.bytes;
      assert.equal(search.found[0], false, `process ${each} holds what was planted`);
    }
    assert.ok(bytes > 64 << 20, `only ${bytes} octets were searched`);
    const holdsCarried = (each: number) => searchMemory(each, [carried]).found[0];
    await until("what the agent carries without TLS is found in it", () => holdsCarried(pid));
    await until("what a warden carries without TLS is found in it", () =>
      wardens.some((warden) => holdsCarried(warden.pid)),
    );
  });

  test("which the same search finds in the memory of the Keeps, that nothing protects here", (t) => {
    if (!canReadMemory(pid)) {
      t.skip(
        "NOT TESTED: this machine does not let a process read another's memory (ptrace scope)",
      );
      return;
    }
    assert.equal(engines.length, 3);
    assert.ok(engines.some(({ pid: each }) => searchMemory(each, [planted]).found[0]));
  });

  test("in logs", () => {
    const log = readFileSync(at("agent.log"));
    assert.deepEqual([holds(log, planted), holds(log, leaked)], [false, true]);
  });

  test("in the state directory, in temporary files, or in any file beside them", () => {
    assert.deepEqual(searchFiles(folder, planted), []);
    const found = searchFiles(folder, leaked);
    assert.ok(found.some((path) => path.startsWith(at("state"))));
    assert.ok(found.some((path) => path.startsWith(at("tmp"))));
  });

  for (const what of ["cmdline", "environ"] as const) {
    test(`in any process's ${what}`, () => {
      assert.deepEqual(searchProcesses(what, planted), []);
      assert.ok(searchProcesses(what, leaked).length > 0);
    });
  }

  test("in what is left when the Keeps have ended", async () => {
    attended.stdin.end();
    assert.deepEqual((await attended.result).outcome, { kind: "exit", code: 0 });
    for (const { id } of await agent.listKeeps()) await agent.stopKeep(id);
    assert.deepEqual(searchFiles(folder, planted), []);
    const cores = readdirSync(folder, { recursive: true, encoding: "utf8" });
    assert.deepEqual(
      cores.filter((name) => /(^|\/)core(\.\d+)?$/.test(name)),
      [],
    );
    for (const { id } of await agent.listKeeps()) await agent.removeKeep(id);
    assert.deepEqual(readdirSync(at("state/keeps")), []);
  });
});

/** A marker in a data segment that goes to stdout, in an environment variable, and in a secret that is a file. */
async function deployDetached(): Promise<void> {
  const { session, run } = await deliver(encodeHelloGuest(`${PLANTED}-segment`), true);
  await run.started;
  const attached = session.attach({ input: false });
  let output = "";
  for await (const piece of attached.stdout) output += piece;
  assert.equal(output, `${PLANTED}-segment`);
  await attached.result;
}

/** Reads a marker and writes it again; goes on afterwards. */
async function runAttended(): Promise<Run> {
  const { run } = await deliver(encodeCatGuest(), false);
  const marker = `${PLANTED}-stdin`;
  run.stdin.write(marker);
  let output = "";
  for await (const piece of run.stdout.iterator({ destroyOnReturn: false })) {
    output += piece;
    if (output.length >= marker.length) break;
  }
  assert.equal(output, marker);
  run.stdout.resume();
  return run;
}

async function deliver(workload: Uint8Array, detached: boolean) {
  const { id } = await agent.createKeep({});
  const stream = await agent.openSession(id);
  const session = await openAttestedSession(stream, { identity, verify, expect: "new" });
  const run = session.provision({ ...plant(workload), detached });
  return { session, run };
}

function plant(workload: Uint8Array): Provision {
  const marked = withCustomSection(workload, Buffer.from(`${PLANTED}-section`.repeat(4096)));
  const more = `[env]\nMARKER = "${PLANTED}-env"\n[[secrets]]\nname = "file"\nfile = "/secrets/file"\n[[secrets]]\nname = "variable"\nenv = "SECRET"\n`;
  const secrets = new Map([
    ["file", Buffer.from(`${PLANTED}-file`)],
    ["variable", Buffer.from(`${PLANTED}-variable`)],
  ]);
  return { ...createProvision(marked, more), secrets };
}

/** One leak for each place that is searched; the wardens' arguments and environment have theirs from their start. */
async function leakOnPurpose(): Promise<void> {
  const { id } = await agent.createKeep({ name: LEAKED, labels: { leak: LEAKED } });
  const stream = await agent.openSession(id, { bare: true });
  const bare = openSession(stream);
  const run = bare.provision(createProvision(encodeCatGuest()));
  run.result.catch(() => {});
  run.stdin.write(LEAKED);
  for await (const _ of run.stdout.iterator({ destroyOnReturn: false })) break;
  // Nobody takes it back, so that it stands in the buffers of all who carry it.
  stream.pause();
  const rest = Buffer.from(CARRIED.repeat(CARRIED_BYTES / CARRIED.length));
  await new Promise((resolve) => run.stdin.write(rest, resolve));
}

/** What a workload says to a peer without TLS leaves its Keep by the pipe `out`; what delivers it comes by `in`. */
async function leakToPeer(): Promise<void> {
  const peer = createServer((socket) => {
    socket.on("error", () => {}).once("data", (bytes) => socket.end(bytes));
  });
  await once(peer.listen(0, "127.0.0.1"), "listening");
  const { port } = peer.address() as AddressInfo;
  const before = listTree(pid).length;
  const { id } = await agent.createKeep({ connections: [`127.0.0.1:${port}`] });
  // A Keep's lane is its first session's.
  const first = openSession(await agent.openSession(id, { bare: true }));
  await first.hello;
  const session = openSession(await agent.openSession(id, { bare: true }));
  const more = `[[connections]]\nname = "peer"\nprotocol = "tcp"\nhost = "127.0.0.1"\nport = ${port}\n`;
  const run = session.provision(createProvision(encodeConnectGuest(3, LEAKED), more));
  let answer = "";
  for await (const piece of run.stdout) answer += piece;
  assert.equal(answer, LEAKED);
  assert.deepEqual((await run.result).outcome, { kind: "exit", code: 0 });
  for (const each of [first, session]) each.close();
  peer.close();
  await agent.removeKeep(id);
  await until("its processes are gone", () => listTree(pid).length <= before);
}

function startAgent(): ChildProcess {
  const entry = join(import.meta.dirname, "support/agent-entry.ts");
  const flags = ["--no-wasm-deopt", "--conditions=source", "--disable-warning=ExperimentalWarning"];
  const places = ["state", "simtee", "recordings"].map(at);
  const child = spawn(process.execPath, [...flags, entry, ...places, LEAKED], {
    env: { PATH: process.env["PATH"], HOME: at("home"), TMPDIR: at("tmp"), DONJON_LEAK: LEAKED },
    stdio: ["ignore", "pipe", "pipe"],
    cwd: at("home"),
  });
  child.stderr.on("data", (bytes: Buffer) => appendFileSync(at("agent.log"), bytes));
  return child;
}

function split<T>(all: readonly T[], is: (one: T) => boolean): readonly [T[], T[]] {
  return [all.filter(is), all.filter((one) => !is(one))];
}

function readArguments(each: number): string {
  return readFileSync(`/proc/${each}/cmdline`, "utf8");
}

function isWarden(each: number): boolean {
  return readArguments(each).includes("warden-entry.ts");
}

/** The engine itself, not what started it. */
function isEngine(each: number): boolean {
  return /^(\/keep\/engine|[^\0]*\/node\0(?:--[^\0]*\0)*[^\0]*keep\.cjs)/.test(readArguments(each));
}
