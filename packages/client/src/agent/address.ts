/** Where an agent listens, as one text: `unix:/path`, `http://host:port` or `https://host:port`. */
import { DonjonError } from "@donjon/core/errors";

export type AgentAddress =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly tls: boolean; readonly host: string; readonly port: number };

/** The port when an address names none. */
export const AGENT_PORT = 4510;

/** Throws `usage`. */
export function parseAgentAddress(text: string): AgentAddress {
  if (text.startsWith("unix:")) {
    const path = text.slice("unix:".length).replace(/^\/\/(?=\/)/, "");
    if (path !== "" && !path.includes("\0")) return { kind: "unix", path };
    throw wrong(text);
  }
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === "") throw wrong(text);
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.pathname !== "/")
    throw wrong(text);
  const { hostname, port, protocol } = url;
  return {
    kind: "tcp",
    tls: protocol === "https:",
    host: hostname.replace(/^\[|\]$/g, ""),
    port: port === "" ? AGENT_PORT : Number(port),
  };
}

function wrong(text: string): DonjonError {
  return new DonjonError(
    "usage",
    `'${text}' is no agent's address; give unix:/path, https://host:port or http://host:port`,
  );
}
