import type { Command } from "commander";
import {
  addLimitOptions,
  type LimitOptions,
  readCount,
  readDuration,
} from "../agent/limit-options.ts";
import { addNetworkOptions, NETWORK_HELP, type NetworkOptions } from "../agent/network-options.ts";
import type { Context } from "../program.ts";

export interface AgentCommandOptions extends LimitOptions, NetworkOptions {
  readonly listen?: readonly string[];
  readonly state?: string;
  readonly pool?: number;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly clientCa?: string;
  readonly drain?: number;
  readonly endKeeps?: boolean;
  readonly json?: boolean;
}

export interface TokenOptions {
  readonly state?: string;
  readonly json?: boolean;
}

export interface TokenAddOptions extends TokenOptions, LimitOptions, NetworkOptions {
  readonly operator?: boolean;
}

export interface TokenSetOptions extends TokenOptions, LimitOptions, NetworkOptions {}

const EXAMPLES = `
Examples:
  donjon agent                                         for this user, on a unix socket
  donjon agent --pool 4                                with four Keeps started before anybody wants them
  donjon agent --listen https://0.0.0.0:4510 --tls-cert agent.pem --tls-key agent.key
  donjon agent token add alice --max-keeps 4 > alice.token
  donjon agent token list
  donjon agent stop

Without --listen it listens on $XDG_RUNTIME_DIR/donjon/agent.sock, else below $XDG_STATE_HOME/donjon, where the other
commands look. With --listen it listens on what is given alone; to keep the socket as well, give it too: --listen unix:PATH.

The agent never sees what it carries: sessions end inside the Keeps. When it stops or is killed its Keeps go on, and the
next agent on the same state finds them again. docs/agent.md says how to run it as a service.

SIGTERM, SIGINT or 'donjon agent stop' stops it: no new work, sessions have --drain to end, Keeps go on unless --end-keeps.
`;

const TOKEN_EXAMPLES = `
Examples:
  donjon agent token add alice --max-keeps 4 --max-memory 2GiB > alice.token
  donjon agent token add bob --allow-connect '*:443' --allow-connect db.internal:5432 --allow-listen 0.0.0.0:8000-8100
  donjon agent token set alice --max-keeps 8 --max-memory none
  donjon agent token list --json
  donjon agent token remove alice

Only a token's SHA-256 is kept. Changes hold at once, also for an agent that runs.
`;

const ADD_EXAMPLES = `
Examples:
  donjon agent token add alice --max-keeps 4 --max-memory 2GiB > alice.token
  donjon agent token add bob --allow-connect '*:443' --allow-listen 0.0.0.0:8000-8100
  donjon agent token add ops --operator > ops.token
`;

const SET_EXAMPLES = `
Examples:
  donjon agent token set alice --max-keeps 8             other limits stay as they are
  donjon agent token set alice --max-memory none         no limit of memory any more
  donjon agent token set bob --allow-connect '*:443' --allow-connect db.internal:5432
  donjon agent token set bob --allow-connect default     public addresses, as at first

The token stays the same. Changes hold for new Keeps and sessions; Keeps that are there have what they had.
`;

const STOP_EXAMPLES = `
Examples:
  donjon agent stop                        the agent of this user
  donjon agent stop --state /var/lib/donjon/agent

It waits until sessions have ended, at most for the --drain that the agent was started with. Keeps go on, unless it was started
with --end-keeps.
`;

export function addAgentCommand(program: Command, context: Context): void {
  const agent = program
    .command("agent")
    .summary("run the host's daemon")
    .description("Run the agent: starts Keeps for callers and carries their sessions.");
  agent
    .option(
      "--listen <address>",
      "unix:PATH, https://HOST:PORT or http://LOOPBACK:PORT, in place of the usual unix socket; may be repeated",
      collect,
    )
    .option("--state <dir>", "where it keeps what it must not forget")
    .option("--pool <n>", "Keeps to start before anybody wants them", readCount)
    .option("--tls-cert <file>", "PEM of the agent's certificate and those above it")
    .option("--tls-key <file>", "PEM of its key")
    .option(
      "--client-ca <file>",
      "PEM of the authority of client certificates, which are then as good as tokens",
    )
    .option(
      "--drain <duration>",
      "time that sessions have to end when the agent stops; 10s when not given",
      readDuration,
    )
    .option("--end-keeps", "end all Keeps when the agent stops");
  addNetworkOptions(addLimitOptions(agent))
    .option("--json", "log lines of JSON on a terminal, too")
    .addHelpText(
      "after",
      `${EXAMPLES}\nThe --max and --allow options are for callers with client certificates; tokens have their own.\n${NETWORK_HELP}`,
    )
    .action(async (options: AgentCommandOptions) => {
      const { serveAgent } = await import("../agent/commands.ts");
      context.exitCode = await serveAgent(options);
    });
  agent
    .command("stop")
    .description("Ask the agent here to stop, and wait until it has.")
    .option(...STATE_OPTION)
    .option("--json", "print {stopped}")
    .addHelpText("after", STOP_EXAMPLES)
    .action(async (_: unknown, command: Command) => {
      const { endAgent } = await import("../agent/commands.ts");
      context.exitCode = await endAgent(command.optsWithGlobals<TokenOptions>());
    });
  addTokenCommands(agent, context);
}

const STATE_OPTION = [
  "--state <dir>",
  "the agent's state, when it is not in the usual place",
] as const;

function addTokenCommands(agent: Command, context: Context): void {
  const token = agent
    .command("token")
    .summary("say who may call over TCP")
    .description("Tokens: who may call an agent over TCP.")
    .addHelpText("after", TOKEN_EXAMPLES);
  const add = token
    .command("add")
    .description("Make a token for a caller and print it, once.")
    .argument("<name>", "who it is for")
    .option("--operator", "may see and touch everybody's Keeps, and read the metrics")
    .option(...STATE_OPTION);
  addNetworkOptions(addLimitOptions(add))
    .option("--json", "print {name, role, limits, network, token}")
    .addHelpText("after", `${ADD_EXAMPLES}${NETWORK_HELP}`)
    .action(async (name: string, _: unknown, command: Command) => {
      const { addToken } = await import("../agent/commands.ts");
      context.exitCode = addToken(name, command.optsWithGlobals<TokenAddOptions>());
    });
  const set = token
    .command("set")
    .description(
      "Change limits and network rules of a caller. Options that are not given change nothing.",
    )
    .argument("<name>", "whose they are")
    .option(...STATE_OPTION);
  addNetworkOptions(addLimitOptions(set))
    .option("--json", "print {name, role, limits, network}")
    .addHelpText("after", `${SET_EXAMPLES}${NETWORK_HELP}`)
    .action(async (name: string, _: unknown, command: Command) => {
      const { setToken } = await import("../agent/commands.ts");
      context.exitCode = setToken(name, command.optsWithGlobals<TokenSetOptions>());
    });
  token
    .command("list")
    .description("List the callers with tokens and what they may have.")
    .option(...STATE_OPTION)
    .option("--json", "print {tokens: [...]}")
    .action(async (_: unknown, command: Command) => {
      const { listTokens } = await import("../agent/commands.ts");
      context.exitCode = listTokens(command.optsWithGlobals<TokenOptions>());
    });
  token
    .command("remove")
    .description("Take a caller's token away.")
    .argument("<name>", "whose it is")
    .option(...STATE_OPTION)
    .option("--json", "print {removed}")
    .action(async (name: string, _: unknown, command: Command) => {
      const { removeToken } = await import("../agent/commands.ts");
      context.exitCode = removeToken(name, command.optsWithGlobals<TokenOptions>());
    });
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
