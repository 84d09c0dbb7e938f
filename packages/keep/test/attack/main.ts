/**
 * A Keep that has turned bad: what an attacker would run who has taken over both threads.
 * Never shipped: `attack.test.ts` bundles it and starts it in place of the runtime. Each attempt is made in every
 * thread, and the answers go out through the pipe `in`, as lines of JSON.
 */
import type { EventEmitter } from "node:events";
import { writeSync } from "node:fs";
import {
  isMainThread,
  parentPort,
  Worker,
  type WorkerOptions,
  workerData,
} from "node:worker_threads";
import { dropSignals } from "../../src/node/exit.ts";
import { dropPermissions, mayRead } from "../../src/node/permissions.ts";
import { disarm } from "../../src/runtime/disarm.ts";

/** This program itself, bundled, for its workers. */
declare const ATTACK_SOURCE: string;
/** Whether to try what only the walls of the operating system stop. */
declare const UNLEASHED: boolean;

/** A process of the same user that the test has started, which a signal that goes on does nothing to. */
declare const VICTIM: number;

/** Gives what it got, or throws. */
type Attempt = () => unknown;

const settle = (emitter: EventEmitter, good: string) =>
  new Promise((resolve, reject) => {
    emitter.once(good, () => resolve(good));
    emitter.once("error", reject);
  });

const ATTEMPTS: Readonly<Record<string, Attempt>> = {
  "read /etc/passwd": () => require("node:fs").readFileSync("/etc/passwd", "utf8").length,
  "read the host's file": () => require("node:fs").readFileSync("/tmp", { encoding: "utf8" }),
  "list the root": () => require("node:fs").readdirSync("/"),
  "write a file": () => require("node:fs").writeFileSync("/tmp/donjon-attack", "x"),
  "read its own memory map": () => require("node:fs").readFileSync("/proc/self/maps", "utf8"),
  "change the runtime": () => require("node:fs").appendFileSync("/keep/runtime.cjs", "x"),
  "change a library": () => require("node:fs").openSync("/lib/libc.so.6", "r+"),
  "make a symbolic link": () => require("node:fs").symlinkSync("/etc", "/tmp/donjon-attack-link"),
  "start a process": () => require("node:child_process").execFileSync("/keep/engine", ["-v"]),
  "start a shell": () =>
    require("node:child_process").spawnSync("/bin/sh", ["-c", "id"]).stdout.length,
  "connect over TCP": () => settle(require("node:net").connect(PORT, "127.0.0.1"), "connect"),
  "listen on TCP": () => settle(require("node:net").createServer().listen(0), "listening"),
  "listen on a Unix socket": () =>
    settle(require("node:net").createServer().listen("\0donjon-attack"), "listening"),
  "send UDP": () => {
    const socket = require("node:dgram").createSocket("udp4");
    return new Promise((resolve, reject) => {
      socket.once("error", reject);
      socket.send("x", PORT, "127.0.0.1", (error: Error | null) =>
        error ? reject(error) : resolve("sent"),
      );
    });
  },
  "resolve a name": () => require("node:dns").promises.lookup("localhost"),
  fetch: () => fetch(`http://127.0.0.1:${PORT}/`),
  "load a native addon": () => process.dlopen({ exports: {} } as never, "/lib/libc.so.6"),
  "open the inspector": () => require("node:inspector").open(0, "127.0.0.1", false),
  "start a worker without the permission model": () => {
    if (isMainThread) throw new Error("allowed there, see the unleashed thread");
    return settle(new Worker("0", { eval: true, execArgv: [] }), "exit");
  },
  "use an internal binding": () =>
    (process as unknown as { binding(name: string): object }).binding("spawn_sync"),
  "see the host's environment": () => {
    const names = Object.keys(process.env);
    if (names.every((name) => name === "PWD")) throw new Error("empty");
    return names;
  },
  "make code from a string": () => new Function("return 1")(),
};

const PORT = Number(process.argv[2] ?? 9);

/** Ways to a signal; made once the thread has given up what sends signals, as `main.ts` and `worker.ts` do. */
const SIGNALS: Readonly<Record<string, Attempt>> = {
  "signal another process": () => process.kill(VICTIM, "SIGCONT"),
  "signal by the engine's own call": () => {
    const { _kill } = process as unknown as { _kill(pid: number, signal: number): number };
    const error = _kill(VICTIM, 18);
    if (error !== 0) throw new Error(require("node:util").getSystemErrorName(error));
  },
  "signal by the module of the process": () => require("node:process").kill(VICTIM, "SIGCONT"),
  "signal by an import": async () => (await import("node:process")).kill(VICTIM, "SIGCONT"),
  "signal by the list of built-in modules": () =>
    process.getBuiltinModule("node:process").kill(VICTIM, "SIGCONT"),
  "signal as a debugger does": () =>
    (process as unknown as { _debugProcess(pid: number): void })._debugProcess(VICTIM),
  "signal from a worker of its own": () => {
    const source = `require("node:worker_threads").parentPort.postMessage(process.kill(${VICTIM}, "SIGCONT"))`;
    return settle(new Worker(source, { eval: true }), "message");
  },
};

async function attack(
  thread: string,
  attempts: Readonly<Record<string, Attempt>>,
  tell: (line: string) => void,
): Promise<void> {
  for (const [name, attempt] of Object.entries(attempts)) {
    let got: string;
    let reached = true;
    try {
      got = String(JSON.stringify(await attempt())).slice(0, 200);
    } catch (error) {
      reached = false;
      const { code, message } = error as NodeJS.ErrnoException;
      got = `${code ?? ""} ${message}`;
    }
    tell(JSON.stringify({ thread, name, reached, got }));
  }
}

/** Starts this very program in another worker, and hands on what it tells. */
function startThread(thread: string, options: WorkerOptions, tell: (line: string) => void) {
  const worker = new Worker(ATTACK_SOURCE, { eval: true, workerData: thread, ...options });
  worker.on("message", (line: string | null) => {
    if (line === null) worker.terminate();
    else tell(line);
  });
  return settle(worker, "exit");
}

/** Both real threads begin as `main.ts` and `worker.ts` do, and are then taken over. */
async function main(): Promise<void> {
  if (!isMainThread) {
    const thread = String(workerData);
    if (thread === "worker") dropPermissions("fs.read", "worker");
    const tell = (line: string) => parentPort!.postMessage(line);
    await attack(thread, ATTEMPTS, tell);
    if (thread === "worker") disarm();
    await attack(thread, SIGNALS, tell);
    // It may have disarmed what ends it, and a server or socket that an attempt did get would keep it alive.
    parentPort!.postMessage(null);
    return;
  }
  dropSignals();
  const tell = (line: string) => writeSync(3, `${line}\n`);
  if (!mayRead("/lib")) dropPermissions("fs.read");
  const worker = startThread("worker", {}, tell);
  await attack("main", { ...ATTEMPTS, ...SIGNALS }, tell);
  await worker;
  // The engine's gap: a worker with arguments of its own has no permission model.
  if (UNLEASHED) await startThread("unleashed", { execArgv: [] }, tell);
  process.exit(0);
}

main().catch((error) => {
  writeSync(2, `${error.stack}\n`);
  process.exit(70);
});
