/** The commands on Keeps at an agent. */
export const KEEP_COMMANDS = ["deploy", "ps", "logs", "attach", "stop", "rm", "attest"] as const;

export type KeepCommand = (typeof KEEP_COMMANDS)[number];

/** Those of them that open no session: the agent answers alone. */
export const AGENT_ALONE: ReadonlySet<KeepCommand> = new Set(["ps", "rm"] as const);
