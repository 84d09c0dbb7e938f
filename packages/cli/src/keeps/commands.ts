/** What the commands on Keeps do that the agent answers alone. One file of its own when built: no TLS, no keys, no verifier. */
export { runKeepCommand } from "../deploy/keep-command.ts";
export { runPs } from "./ps.ts";
export { runRm } from "./rm.ts";
