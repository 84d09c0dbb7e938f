/** The agent that a command talks to. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { AgentClient, AgentOptions, AgentTls } from "@donjon/client/agent/client";
import { connectAgent } from "@donjon/client/agent/connect";
import { DonjonError } from "@donjon/core/errors";
import { explainSystemError } from "@donjon/core/system-error";
import { stateDirectory } from "@donjon/host/image/places";
import type { AgentFlags } from "./options.ts";

/** Characters of a token, a certificate or a key. */
const MAX_FILE_CHARACTERS = 65_536;

/**
 * The agent by the flag, else by `$DONJON_AGENT`, else the one that listens on this user's socket, else this machine's.
 * @throws DonjonError `agent/unreachable` when no socket is there, `files/read`, `usage`
 */
export function openAgent(flags: AgentFlags): AgentClient {
  const address = flags.agent ?? process.env["DONJON_AGENT"] ?? findSocket();
  return connectAgent(address, readOptions(flags));
}

/** Where an agent on this machine listens when nothing else is said, in the order looked at. */
export function listSockets(env: NodeJS.ProcessEnv = process.env): string[] {
  const runtime = env["XDG_RUNTIME_DIR"];
  return [
    ...(runtime === undefined || runtime === "" ? [] : [join(runtime, "donjon", "agent.sock")]),
    join(stateDirectory(), "agent.sock"),
    "/run/donjon/agent.sock",
  ];
}

function findSocket(): string {
  const sockets = listSockets();
  const path = sockets.find((each) => statSync(each, { throwIfNoEntry: false })?.isSocket());
  if (path !== undefined) return `unix:${path}`;
  throw new DonjonError(
    "agent/unreachable",
    `no agent listens on this machine (looked for ${sockets.join(", ")}); start one with 'donjon agent', or say where one is: --agent ADDRESS or DONJON_AGENT`,
  );
}

function readOptions({ token, agentCa, agentCert }: AgentFlags): AgentOptions {
  const text = token === undefined ? process.env["DONJON_AGENT_TOKEN"] : readText(token, "token");
  if (text !== undefined) requireToken(text.trim(), token ?? "DONJON_AGENT_TOKEN");
  const client = agentCert === undefined ? undefined : readText(agentCert, "certificate");
  const tls: AgentTls = {
    ...(agentCa === undefined ? {} : { ca: readText(agentCa, "authorities") }),
    ...(client === undefined ? {} : { certificate: client, key: client }),
  };
  return { ...(text === undefined ? {} : { token: text.trim() }), tls };
}

/** It travels in a header; what is no token is not shown, because it may be a key. */
function requireToken(text: string, from: string): void {
  if (/^[\x21-\x7e]{1,512}$/.test(text)) return;
  throw new DonjonError(
    "usage",
    `'${from}' holds no token: one line as 'donjon agent token add' prints it is wanted`,
  );
}

function readText(path: string, what: string): string {
  try {
    return readFileSync(path, "utf8").slice(0, MAX_FILE_CHARACTERS);
  } catch (cause) {
    const message = `the agent's ${what} cannot be read from '${path}': ${explainSystemError(cause)}`;
    throw new DonjonError("files/read", message, { cause });
  }
}
