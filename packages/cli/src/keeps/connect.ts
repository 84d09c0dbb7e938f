/** The agent that a command talks to. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { AgentClient, AgentOptions, AgentTls } from "@donjon/client/agent/client";
import { connectAgent } from "@donjon/client/agent/connect";
import { DonjonError } from "@donjon/core/errors";
import { explainSystemError } from "@donjon/core/system-error";
import { stateDirectory } from "@donjon/host/image/places";
import { readCertificates, readKey, readText as readPem } from "../tls/pem-files.ts";
import type { AgentFlags } from "./options.ts";

/** Characters of a token. */
const MAX_TOKEN_CHARACTERS = 65_536;

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
  const text = token === undefined ? process.env["DONJON_AGENT_TOKEN"] : readToken(token);
  if (text !== undefined) requireToken(text.trim(), token ?? "DONJON_AGENT_TOKEN");
  const tls: AgentTls = {
    ...(agentCa === undefined ? {} : { ca: readAuthorities(agentCa) }),
    ...(agentCert === undefined ? {} : readPair(agentCert)),
  };
  return { ...(text === undefined ? {} : { token: text.trim() }), tls };
}

function readAuthorities(path: string): string {
  const text = readPem(path, "--agent-ca");
  readCertificates(text, path, "--agent-ca");
  return text;
}

/** A client's certificate and its key, in one file. */
function readPair(path: string): Pick<AgentTls, "certificate" | "key"> {
  const option = "--agent-cert";
  const text = readPem(path, option);
  const [own] = readCertificates(text, path, option);
  if (own!.checkPrivateKey(readKey(text, path, option))) return { certificate: text, key: text };
  throw new DonjonError(
    "files/read",
    `'${path}' (${option}) holds a certificate and the key of another: the first certificate there has to be your own, and the key its pair`,
  );
}

/** It travels in a header; what is no token is not shown, because it may be a key. */
function requireToken(text: string, from: string): void {
  if (/^[\x21-\x7e]{1,512}$/.test(text)) return;
  throw new DonjonError(
    "usage",
    `'${from}' holds no token: one line as 'donjon agent token add' prints it is wanted`,
  );
}

function readToken(path: string): string {
  try {
    return readFileSync(path, "utf8").slice(0, MAX_TOKEN_CHARACTERS);
  } catch (cause) {
    const message = `the agent's token cannot be read from '${path}': ${explainSystemError(cause)}`;
    throw new DonjonError("files/read", message, { cause });
  }
}
