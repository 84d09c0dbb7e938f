/** What `run` and `deploy` have in common on the command line: the target, what it is granted, what is told of it. */
import type { BackendName } from "@donjon/host/backend/backend";
import { type Command, Option } from "commander";
import type { ManifestFlags } from "./flags.ts";

export interface WorkloadOptions extends ManifestFlags {
  readonly backend?: BackendName;
  readonly wasmcfgfile?: string;
  readonly summary?: boolean;
  readonly quiet?: boolean;
  readonly json?: boolean;
}

const BACKENDS: readonly BackendName[] = ["snp", "tdx", "sgx", "vm", "process"];

export function addWorkloadOptions(command: Command): Command {
  const stream = (name: string) =>
    new Option(`--${name} <where>`, `the program's ${name}`).choices(["host", "null"]);
  return command
    .argument(
      "<target>",
      "a .wasm file, a donjon.toml or Enarx.toml, or a directory with one of them",
    )
    .addOption(new Option("--backend <name>", "the kind of Keep").choices(BACKENDS))
    .option("-e, --env <NAME=value>", "set a variable (NAME alone: as it is set here)", collect)
    .option("--dir <host[:guest][:rw]>", "send a directory; rw: changes come back", collect)
    .option("--tmp", "an empty directory on /tmp")
    .option("--listen <name=[addr:]port[/tls]>", "let the program accept connections", collect)
    .option("--connect <name=host:port[/tls]>", "open a connection for the program", collect)
    .option("--secret <NAME[=@file|=env]>", "give a secret, from a file or a variable", collect)
    .option("--memory <size>", "limit of memory, such as 512MiB")
    .option("--files <size>", "limit of the files in memory")
    .option("--time <duration>", "limit of time, such as 30s")
    .addOption(stream("stdin"))
    .addOption(stream("stdout"))
    .addOption(stream("stderr"))
    .option("--wasmcfgfile <file>", "an Enarx.toml for the module, as with enarx")
    .option("--summary", "print the summary even when stderr is no terminal")
    .option("-q, --quiet", "print no summary")
    .option("--json", "print summary and errors as one line of JSON on stderr");
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
