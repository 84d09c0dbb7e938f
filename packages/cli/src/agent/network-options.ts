/** What a caller's Keeps may connect to and listen on, as options. */
import { type GivenNetworkRules, parseGivenRules } from "@donjon/host/network/rules";
import type { Command } from "commander";

export interface NetworkOptions {
  readonly allowConnect?: readonly string[];
  readonly allowListen?: readonly string[];
}

export function addNetworkOptions(command: Command): Command {
  return command
    .option(
      "--allow-connect <host:ports>",
      "what Keeps may connect to instead of public addresses, such as db.example.com:5432, *.example.com:443, 10.0.0.0/8:*; may be repeated",
      collect,
    )
    .option(
      "--allow-listen <address:ports>",
      "what Keeps may listen on instead of loopback ports from 1024 on, such as 192.0.2.7:443; may be repeated",
      collect,
    );
}

export const NETWORK_HELP = `
A rule of --allow-connect or --allow-listen is HOST:PORTS. HOST is a name, *.DOMAIN, an address, a block of addresses or *;
IPv6 goes in brackets. PORTS is a number, a range such as 8000-8100, or *. What stands for several hosts by a * means public
addresses only. Rules of one kind replace the default of that kind; 'none' alone allows nothing, 'default' alone is the default.
`;

/** Throws DonjonError `usage`. */
export function readNetworkRules({ allowConnect, allowListen }: NetworkOptions): GivenNetworkRules {
  return parseGivenRules({ connect: allowConnect, listen: allowListen });
}

/** Those of a kind that is given; `null` for a kind that is to have its default. Throws DonjonError `usage`. */
export function readGivenNetworkRules(options: NetworkOptions): Partial<GivenNetworkRules> {
  const { connect, listen } = readNetworkRules(options);
  return {
    ...(options.allowConnect === undefined ? {} : { connect }),
    ...(options.allowListen === undefined ? {} : { listen }),
  };
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

const MAX_SHOWN = 3;

/** Rules in a cell of a table. */
export function describeRules(rules: readonly string[]): string {
  if (rules.length === 0) return "none";
  const shown = rules.slice(0, MAX_SHOWN).join(", ");
  const more = rules.length - MAX_SHOWN;
  return more > 0 ? `${shown} and ${more} more` : shown;
}
