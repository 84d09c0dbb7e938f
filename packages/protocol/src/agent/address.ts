/** Where an agent listens, as one text: `unix:/path`, `http://host:port` or `https://host:port`. */
import { DonjonError } from "@donjon/core/errors";

export type AgentAddress =
  | { readonly kind: "unix"; readonly path: string }
  | {
      readonly kind: "tcp";
      readonly tls: boolean;
      /** A name or an address; an IPv6 address without its brackets. */
      readonly host: string;
      readonly port: number;
    };

/** The port when an address names none. */
export const AGENT_PORT = 4510;

const UNIX = /^unix:(?:\/\/(?=\/))?([^\0]+)$/;
const TCP =
  /^(https?):\/\/(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9._-]{1,253}))(?::([0-9]{1,5}))?\/?$/;

/** Throws `usage`. */
export function parseAgentAddress(text: string): AgentAddress {
  const path = UNIX.exec(text)?.[1];
  if (path !== undefined) return { kind: "unix", path };
  const match = TCP.exec(text);
  const host = match?.[2] ?? match?.[3];
  const port = match?.[4] === undefined ? AGENT_PORT : Number(match[4]);
  if (match === null || host === undefined || port > 65535) {
    throw new DonjonError(
      "usage",
      `'${text}' is no agent's address; give unix:/path, https://host:port or http://host:port`,
    );
  }
  return { kind: "tcp", tls: match[1] === "https", host, port };
}

export function formatAgentAddress(address: AgentAddress): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${address.tls ? "https" : "http"}://${host}:${address.port}`;
}
