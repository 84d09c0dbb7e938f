/** Rules of what a caller's Keeps may connect to and listen on, as an operator writes them: `HOST:PORTS`, `ADDRESS:PORTS`. */
import { DonjonError } from "@donjon/core/errors";
import type { NetworkRules } from "@donjon/protocol/agent/keep-record";
import { MAX_NETWORK_RULE, MAX_NETWORK_RULES } from "@donjon/protocol/agent/limits";
import { type IpBlock, isInBlock, listIpv4Forms, parseIpBlock } from "./address.ts";

/** Rules as they were given; `null`: none were, and the default holds. */
export interface GivenNetworkRules {
  readonly connect: readonly string[] | null;
  readonly listen: readonly string[] | null;
}

export type HostPattern =
  | { readonly kind: "any" }
  /** Lower case. */
  | { readonly kind: "name"; readonly name: string }
  /** `.example.com`, for all names below `example.com`. */
  | { readonly kind: "domain"; readonly suffix: string }
  | { readonly kind: "block"; readonly block: IpBlock };

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

export interface NetworkRule {
  readonly host: HostPattern;
  readonly ports: PortRange;
}

export const DEFAULT_NETWORK_RULES: NetworkRules = {
  connect: ["*:*"],
  listen: ["127.0.0.0/8:1024-65535", "[::1]:1024-65535"],
};
export const NO_RULES_GIVEN: GivenNetworkRules = { connect: null, listen: null };

/** Alone in the place of rules: nothing is allowed. */
const NONE = "none";
/** The same: as when none are given. */
const DEFAULT = "default";
const MAX_PORT = 65_535;
const MAX_NAME = 253;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
/** Resolvers read such a last label as part of an IPv4 address. */
const NUMBER = /^(?:[0-9]+|0x[0-9a-f]*)$/;

/** `connect` and `listen` as options give them; `undefined` is not given. Throws `usage`. */
export function parseGivenRules(given: {
  readonly connect: readonly string[] | undefined;
  readonly listen: readonly string[] | undefined;
}): GivenNetworkRules {
  return {
    connect: parseList(given.connect, "connection", parseConnectRule),
    listen: parseList(given.listen, "listener", parseListenRule),
  };
}

export function completeRules({ connect, listen }: GivenNetworkRules): NetworkRules {
  return {
    connect: connect ?? DEFAULT_NETWORK_RULES.connect,
    listen: listen ?? DEFAULT_NETWORK_RULES.listen,
  };
}

/** `HOST:PORTS`: a host name, `*.domain`, an address, a block or `*`. Throws `usage`. */
export function parseConnectRule(text: string): NetworkRule {
  const [host, ports] = splitRule(text, "example.com:443");
  return { host: parseHost(text, host), ports: parsePorts(text, ports) };
}

/** `ADDRESS:PORTS`: an address, a block or `*`. Throws `usage`. */
export function parseListenRule(text: string): NetworkRule {
  const [address, ports] = splitRule(text, "127.0.0.1:8080");
  const host = parseHost(text, address);
  if (host.kind === "name" || host.kind === "domain")
    throw misread(
      text,
      "listeners are bound to addresses: give one, a block such as 10.0.0.0/8, or *",
    );
  return { host, ports: parsePorts(text, ports) };
}

function parseList(
  texts: readonly string[] | undefined,
  what: string,
  parse: (text: string) => NetworkRule,
): readonly string[] | null {
  if (texts === undefined || (texts.length === 1 && texts[0] === DEFAULT)) return null;
  if (texts.length === 1 && texts[0] === NONE) return [];
  if (texts.length > MAX_NETWORK_RULES) {
    const message = `there are ${texts.length} rules for ${what}s, and a caller may have ${MAX_NETWORK_RULES}; use blocks or *.domain`;
    throw new DonjonError("usage", message);
  }
  for (const text of texts) parse(text);
  return texts;
}

/** Host and ports. */
function splitRule(text: string, example: string): readonly [string, string] {
  if (text.length > MAX_NETWORK_RULE)
    throw misread(
      text,
      `it has ${text.length} characters, and a rule has at most ${MAX_NETWORK_RULE}`,
    );
  const [, ipv6, other, ports] = /^(?:\[([^[\]]+)\]|([^:[\]]+)):([^:[\]]+)$/.exec(text) ?? [];
  const host = ipv6 ?? other;
  if (host !== undefined && ports !== undefined && (ipv6 === undefined || ipv6.includes(":")))
    return [host, ports];
  if (text === NONE || text === DEFAULT)
    throw misread(text, `'${text}' stands alone, without other rules`);
  const hint =
    text.replace(/[^:]/g, "").length > 1 ? "; an IPv6 address goes in brackets, [::1]:80" : "";
  throw misread(
    text,
    `HOST:PORTS is wanted, such as ${example} or ${example.split(":")[0]}:*${hint}`,
  );
}

function parseHost(text: string, host: string): HostPattern {
  if (host === "*") return { kind: "any" };
  if (/[/:]/.test(host) || /^[0-9.]+$/.test(host))
    return { kind: "block", block: parseBlock(text, host) };
  const name = host.toLowerCase();
  const below = name.startsWith("*.") ? name.slice(2) : name;
  if (below.includes("*"))
    throw misread(text, "a * stands alone or for all before a domain, *.example.com");
  const labels = below.split(".");
  if (
    below.length > MAX_NAME ||
    !labels.every((label) => LABEL.test(label)) ||
    NUMBER.test(labels.at(-1)!)
  )
    throw misread(text, `'${below.slice(0, MAX_NAME)}' is neither a host name nor an address`);
  return name === below ? { kind: "name", name } : { kind: "domain", suffix: `.${below}` };
}

function parseBlock(text: string, host: string): IpBlock {
  const block = parseIpBlock(host);
  if (block === null)
    throw misread(
      text,
      `'${host}' is no address and no block, whose bits behind the prefix are 0, such as 10.0.0.0/8`,
    );
  if (listIpv4Forms().some((form) => block.prefix >= form.prefix && isInBlock(block, form)))
    throw misread(
      text,
      "IPv6 forms of IPv4 addresses follow the rules for IPv4; write the IPv4 address or block",
    );
  return block;
}

function parsePorts(text: string, ports: string): PortRange {
  if (ports === "*") return { first: 1, last: MAX_PORT };
  const [, from, to = from] = /^([1-9][0-9]{0,4})(?:-([1-9][0-9]{0,4}))?$/.exec(ports) ?? [];
  const [first, last] = [Number(from), Number(to)];
  if (first <= last && last <= MAX_PORT) return { first, last };
  throw misread(
    text,
    `'${ports}' are no ports; give a number up to ${MAX_PORT}, a range such as 8000-8100, or *`,
  );
}

function misread(text: string, wanted: string): DonjonError {
  // Control characters stay out of terminals.
  const shown = JSON.stringify(text.slice(0, MAX_NAME))
    .slice(1, -1)
    .replace(/[\u007f-\u009f]/g, "\ufffd");
  return new DonjonError("usage", `the rule '${shown}' cannot be used: ${wanted}`);
}
