/** What the commands on Keeps that open a session do. One file of its own when built: a plain run never loads it. */
export { runAttest } from "../attest/attest.ts";
export { runAttach, runLogs } from "../keeps/attach.ts";
export { runStop } from "../keeps/stop.ts";
export { runPolicyInit } from "../policy/init.ts";
export { runDeploy } from "./deploy.ts";
export { runKeepCommand } from "./keep-command.ts";
export { runAttested, startProtectedKeep } from "./local.ts";
