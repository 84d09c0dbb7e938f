/** Starts a warden that outlives this process. */
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import type { Readable } from "node:stream";
import { DonjonError } from "@donjon/core/errors";
import { readLine, type WardenAnswer } from "./control.ts";
import { type KeepFolder, type KeepOrder, writeJson } from "./folder.ts";
import { READY_DESCRIPTOR } from "./warden.ts";

/** Program and arguments; the folder's path is added to them. */
export type WardenCommand = readonly string[];

/** A VM boots meanwhile, where nothing makes that fast. */
const READY_MS = 110_000;

/** Variables that say where things are; a warden needs nothing else. */
const KEPT_VARIABLES = /^(?:PATH|HOME|TMPDIR|LANG|XDG_[A-Z_]+|DONJON_[A-Z_]+)$/;

/** Makes the folder. Resolves when the Keep answers; rejects with the warden's error, `keep/start` when it says none. */
export async function startWarden(
  command: WardenCommand,
  folder: KeepFolder,
  order: KeepOrder,
): Promise<void> {
  mkdirSync(folder.path, { mode: 0o700 });
  writeJson(folder.order, order);
  const log = openSync(folder.log, "a", 0o600);
  const [program, ...args] = [...command, folder.path];
  const child = spawn(program!, args, {
    detached: true,
    cwd: folder.path,
    env: chooseVariables(process.env),
    stdio: ["ignore", log, log, "pipe"],
  });
  closeSync(log);
  child.unref();
  const ready = child.stdio[READY_DESCRIPTOR] as Readable & { unref(): void };
  ready.on("error", () => {});
  const failed = new Promise<never>((_, reject) => {
    child.once("error", (cause) =>
      reject(
        new DonjonError("keep/start", `the warden cannot be started: ${cause.message}`, { cause }),
      ),
    );
  });
  failed.catch(() => {});
  const timer = setTimeout(() => ready.destroy(), READY_MS);
  try {
    const line = readLine(ready as never).catch(() => {
      throw new DonjonError(
        "keep/start",
        `the warden ended before its Keep ran; see ${folder.log}`,
      );
    });
    const answer = (await Promise.race([line, failed])) as WardenAnswer;
    if ("error" in answer) throw new DonjonError(answer.error.code, answer.error.message);
  } finally {
    clearTimeout(timer);
    ready.destroy();
  }
}

function chooseVariables(all: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(all).filter(([name]) => KEPT_VARIABLES.test(name)));
}
