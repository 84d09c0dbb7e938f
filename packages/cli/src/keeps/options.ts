/** What every command that talks to an agent takes. */
import type { Command } from "commander";

export interface AgentFlags {
  readonly agent?: string;
  readonly token?: string;
  readonly agentCa?: string;
  readonly agentCert?: string;
}

/** What every command that asks a Keep for evidence takes. */
export interface EvidenceFlags {
  readonly insecure?: boolean;
  readonly policy?: string;
  readonly identity?: string;
}

export function addAgentOptions(command: Command): Command {
  return command
    .option(
      "--agent <address>",
      "unix:PATH or https://HOST:PORT; else $DONJON_AGENT, else the agent here",
    )
    .option("--token <file>", "a file with the agent's token; else $DONJON_AGENT_TOKEN")
    .option("--agent-ca <file>", "PEM of the authorities that sign the agent's certificate")
    .option("--agent-cert <file>", "PEM of your certificate and key, for an agent that wants one");
}

export function addEvidenceFlags(command: Command): Command {
  return command
    .option("--insecure", "accept a Keep that no hardware protects")
    .option("--policy <file>", "TOML: which evidence to accept (docs/formats/policy.md)")
    .option("--identity <file>", "your key; ~/.config/donjon/owner.pem when not given");
}
