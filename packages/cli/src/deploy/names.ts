/** The commands on Keeps at an agent. */
export const KEEP_COMMANDS = ["deploy", "ps", "logs", "attach", "stop", "rm", "attest"] as const;

export type KeepCommand = (typeof KEEP_COMMANDS)[number];
