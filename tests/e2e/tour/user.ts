/** Someone who takes the tour: a clone in which `npm start` has run before, and a home of their own. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { startTerminal, type Terminal } from "./terminal.ts";
import type { Step } from "./transcript.ts";

const ROOT = join(import.meta.dirname, "../../..");
/** Where the page says that things are. */
const PAGE = { home: "~", runtime: "/run/user/1000", port: "8444" } as const;
const MANIFEST = "examples/signing-service/donjon.toml";

/** Why nobody can take the tour on this machine; `false` when one can. */
export function findMissing(): string | false {
  const missing = ["script", "curl", "openssl"].filter(
    (program) => spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0,
  );
  return missing.length === 0 ? false : `not installed: ${missing.join(", ")}`;
}

export class User {
  readonly #folder: string;
  /** What stands for the page's port here, which somebody else may use. */
  readonly #port: string;
  readonly #staying: Terminal[] = [];

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = String(port);
  }

  static async create(): Promise<User> {
    const user = new User(await mkdtemp(join(tmpdir(), "donjon-tour-")), await findPort());
    await user.#settle();
    return user;
  }

  /** Gives a step's command, as `command` says it here, at a terminal; answers what it printed, in the page's terms. */
  async give(step: Step, command: string): Promise<string> {
    const terminal = startTerminal(this.#inTermsOfHere(command), this.#options());
    if (step.stays) {
      this.#staying.push(terminal);
      const lines = step.output.trimEnd().split("\n").length;
      return this.#inTermsOfPage(await terminal.untilLines(lines));
    }
    const { code, screen } = await terminal.ended;
    assert.equal(code, 0, `'${step.command}' printed:\n${screen}`);
    return this.#inTermsOfPage(screen);
  }

  /** Exit codes of the commands that went on beside the others, once they have ended. */
  async untilAllEnd(): Promise<(number | null)[]> {
    const ended = await Promise.all(this.#staying.map((terminal) => terminal.ended));
    return ended.map(({ code }) => code);
  }

  /** Takes everything along, also what a tour left behind that broke off: a Keep outlives its agent. */
  async leave(): Promise<void> {
    if (existsSync(join(this.#at("runtime"), "donjon/agent.sock"))) {
      for (const command of ["npx donjon rm --force signer", "npx donjon agent stop"])
        spawnSync("sh", ["-c", command], this.#options());
    }
    for (const { child } of this.#staying) child.kill("SIGKILL");
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Without the lock file nothing can be installed in the clone: what is installed is this repository's. */
  async #settle(): Promise<void> {
    for (const name of ["clone", "home", "runtime"]) await mkdir(this.#at(name), { mode: 0o700 });
    for (const name of ["node_modules", "packages", "tools", "package.json", "LICENSE"])
      await symlink(join(ROOT, name), this.#at("clone", name));
    await cp(join(ROOT, "examples"), this.#at("clone", "examples"), {
      recursive: true,
      filter: (path) => !["node_modules", ".cache"].includes(basename(path)),
    });
    const text = await readFile(join(ROOT, MANIFEST), "utf8");
    const moved = text.replace(`port = ${PAGE.port}`, `port = ${this.#port}`);
    assert.notEqual(moved, text);
    await writeFile(this.#at("clone", MANIFEST), moved);
  }

  #at(...names: string[]): string {
    return join(this.#folder, ...names);
  }

  #options() {
    const env = {
      PATH: process.env["PATH"],
      HOME: this.#at("home"),
      XDG_RUNTIME_DIR: this.#at("runtime"),
      TERM: "xterm",
      // npm must find the commands in the folder and nowhere else, and shows nothing that moves.
      npm_config_offline: "true",
      npm_config_progress: "false",
      npm_config_update_notifier: "false",
    };
    return { cwd: this.#at("clone"), env };
  }

  #inTermsOfHere(command: string): string {
    return command.replaceAll(`:${PAGE.port}`, `:${this.#port}`);
  }

  #inTermsOfPage(screen: string): string {
    return screen
      .replaceAll(`:${this.#port}`, `:${PAGE.port}`)
      .replaceAll(this.#at("runtime"), PAGE.runtime)
      .replaceAll(this.#at("home"), PAGE.home);
  }
}

/** A port that was free a moment ago. */
async function findPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
