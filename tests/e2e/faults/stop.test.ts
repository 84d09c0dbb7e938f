import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { DONJON } from "../../support/keep.ts";
import { findKeep, listTree, until, untilGone } from "../../support/processes.ts";
import { guestPath, listAll, startCommand } from "./command.ts";

const CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** A peer that takes connections and reads nothing. */
async function listenSilently(t: TestContext): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    sockets.add(socket.on("error", () => {}));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

describe("one signal ends the run while the guest waits in", () => {
  const plain = ["read", "poll-read", "sleep", "write", "spin"];
  for (const way of plain) {
    it(way, (t) => stop(t, [guestPath("waits"), "--", way]));
  }
  for (const way of ["accept", "poll-accept"]) {
    it(way, async (t) => {
      // A port of the machine that was free a moment ago.
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      await new Promise((resolve) => server.close(resolve));
      await stop(t, [guestPath("waits"), "--listen", `in=${port}`, "--", way]);
    });
  }
  for (const way of ["receive", "send"]) {
    it(way, async (t) => {
      const port = await listenSilently(t);
      await stop(t, [guestPath("waits"), "--connect", `out=127.0.0.1:${port}`, "--", way]);
    });
  }
  it("a wait of two threads for each other", (t) => stop(t, [guestPath("threads"), "--", "wait"]));
});

async function stop(t: TestContext, args: readonly string[]): Promise<void> {
  const command = startCommand(t, args);
  await command.said("waiting");
  const { all } = await listAll(command);
  command.child.kill("SIGINT");
  // What was written before the signal is still for who reads it.
  command.child.stdout!.resume();
  assert.deepEqual(await command.ended, { code: CODES.SIGINT, signal: null });
  await untilGone(all);
  assert.equal(command.stderr(), "waiting\n");
}

describe("the exit code names the signal", () => {
  for (const [signal, code] of Object.entries(CODES)) {
    it(`${signal}: ${code}`, async (t) => {
      const command = startCommand(t, [guestPath("waits"), "--", "sleep"]);
      await command.said("waiting");
      command.child.kill(signal as NodeJS.Signals);
      assert.deepEqual(await command.ended, { code, signal: null });
    });
  }
});

it("Ctrl-C twice ends a run whose output nobody reads", async (t) => {
  const command = startCommand(t, [guestPath("waits"), "--", "write"]);
  await command.said("waiting");
  const { all } = await listAll(command);
  command.child.kill("SIGINT");
  // The second is for who is still there after the first; stdout stays unread throughout.
  await until("it has ended", () => {
    if (command.child.exitCode === null) command.child.kill("SIGINT");
    return command.child.exitCode !== null;
  });
  assert.deepEqual(await command.ended, { code: CODES.SIGINT, signal: null });
  await untilGone(all);
});

/** Runs the command on a terminal of its own, presses Ctrl-C there when told by a line, and prints the exit code. */
const TERMINAL = `
import os, pty, sys
pid, master = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
print(pid, flush=True)
shown = b""
pressed = False
while True:
    try:
        piece = os.read(master, 4096)
    except OSError:
        break
    if not piece:
        break
    shown += piece
    if not pressed and b"waiting" in shown:
        pressed = True
        print("waits", flush=True)
        sys.stdin.readline()
        os.write(master, b"\\x03")
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
sys.stdout.buffer.write(shown)
`;

for (const way of ["sleep", "read", "spin"]) {
  it(`Ctrl-C on a terminal interrupts a guest in ${way}`, async (t) => {
    const command = [DONJON, "run", "--insecure", "--quiet", guestPath("waits"), "--", way];
    const child = spawn("python3", ["-c", TERMINAL, ...command], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    let text = "";
    const started = await new Promise<boolean>((resolve) => {
      child.on("error", () => resolve(false));
      child.on("spawn", () => resolve(true));
    });
    if (!started) return t.skip("SKIPPED: no python3 here to make a terminal");
    t.after(() => child.kill("SIGKILL"));
    child.stdout.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
    });
    const closed = once(child, "close");
    await until("the guest waits", () => text.includes("\nwaits\n"));
    const pid = Number.parseInt(text, 10);
    await findKeep(pid);
    const all = listTree(pid);
    child.stdin.end("\n");
    await closed;
    const [, , code, ...shown] = text.split("\n");
    assert.equal(code, "130", text);
    assert.match(shown.join("\n"), /waiting/);
    assert.doesNotMatch(shown.join("\n"), /came back/);
    await untilGone(all);
  });
}
