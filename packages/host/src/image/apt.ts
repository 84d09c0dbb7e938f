/** The machine's own package client, with lists of its own: nothing of the machine is changed and root is not needed. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { DonjonError } from "@donjon/core/errors";
import { makeDirectory } from "../files/make-directory.ts";
import { createSources } from "./apt-sources.ts";
import { packageCacheDirectory } from "./places.ts";

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 64 << 20;
const TIMEOUT_MS = 600_000;

export interface Apt {
  /** Fetches the lists of packages. Throws `image/packages`. */
  update(): Promise<void>;
  /** Writes `name_version_architecture.deb` into the directory. Throws `image/packages`. */
  download(name: string, version: string, directory: string): Promise<void>;
  /** Stanzas of all versions of the packages whose names match, as fields by name. */
  show(pattern: string): Promise<Readonly<Record<string, string>>[]>;
}

/** Packages of the Debian release `suite`. Throws `image/packages` where the machine's sources have none. */
export function openApt(suite: string): Apt {
  const directory = join(packageCacheDirectory(), suite);
  for (const folder of ["lists/partial", "archives/partial"])
    makeDirectory(join(directory, folder));
  const sources = createSources("/etc/apt", readCodename(), suite);
  if (sources === "") {
    const message = `this machine's package sources have no Debian release, and the image is made of packages of '${suite}'; give the packages with --packages DIR`;
    throw new DonjonError("image/packages", message);
  }
  writeFileSync(join(directory, "donjon.sources"), sources);
  const options = Object.entries({
    "Dir::Etc::SourceList": join(directory, "donjon.sources"),
    "Dir::Etc::SourceParts": "/dev/null",
    "Dir::State::Lists": join(directory, "lists"),
    "Dir::Cache": directory,
    // Fetching happens as this user: these folders belong to nobody else.
    "APT::Sandbox::User": process.env["USER"] ?? "root",
    "APT::Update::Post-Invoke": "",
  }).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  const call = (program: string, words: readonly string[], cwd = directory) =>
    callApt(program, [...options, ...words], cwd);
  return {
    update: async () => void (await call("apt-get", ["-qq", "update"])),
    download: async (name, version, target) =>
      void (await call("apt-get", ["-qq", "download", `${name}=${version}`], target)),
    async show(pattern) {
      const names = await call("apt-cache", ["search", "--names-only", pattern]);
      const list = names.split("\n").flatMap((line) => line.split(" ", 1)[0] || []);
      if (list.length === 0) return [];
      const text = await call("apt-cache", ["show", ...list]);
      return text
        .split("\n\n")
        .filter((each) => each.trim() !== "")
        .map(parseFields);
    },
  };
}

async function callApt(program: string, args: readonly string[], cwd: string): Promise<string> {
  try {
    const options = { cwd, timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES };
    const env = { ...process.env, LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" };
    return (await run(program, args, { ...options, env })).stdout;
  } catch (cause) {
    const { code, stderr = "" } = cause as { code?: unknown; stderr?: string };
    if (code === "ENOENT") {
      const message = `the package client '${program}' is not on this machine; give the packages with --packages DIR`;
      throw new DonjonError("image/packages", message, { cause });
    }
    const why = stderr.trim().split("\n").slice(-3).join("; ");
    throw new DonjonError("image/packages", `'${program}' failed: ${why}`, { cause });
  }
}

function parseFields(stanza: string): Record<string, string> {
  return Object.fromEntries(
    [...stanza.matchAll(/^([A-Za-z0-9-]+): (.*)$/gm)].map(([, name, value]) => [name, value]),
  );
}

/** os-release(5): the code name of this machine's Debian release; other distributions have none of its packages. */
function readCodename(): string {
  const file = "/etc/os-release";
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const field = (name: string) => new RegExp(`^${name}="?([a-z]+)"?$`, "m").exec(text)?.[1];
  return (field("ID") === "debian" ? field("VERSION_CODENAME") : undefined) ?? "none";
}
