/** Holds a Keep to its caller's network rules, by the addresses that are really connected to and bound. */
import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import type { LookupFunction } from "node:net";
import { DonjonError } from "@donjon/core/errors";
import type { NetworkRules } from "@donjon/protocol/agent/keep-record";
import { type Authority, encodeAuthority } from "@donjon/protocol/gate/gate";
import { formatIpv4, type IpAddress, parseIpAddress, unwrapIpv4 } from "./address.ts";
import { listOwnAddresses, type SpecialClass } from "./address-class.ts";
import { judgeConnection, judgeListener, type RefusalReason } from "./judge.ts";
import { explainListenError } from "./listen-error.ts";
import { parseConnectRule, parseListenRule } from "./rules.ts";

type Act = "connect" | "listen";

/** For the host's eyes. */
export interface NetworkRefusal {
  /** `host:port`, as it was asked for. */
  readonly target: string;
  /** What the name led to; nothing for an address. */
  readonly addresses: readonly string[];
  readonly reason: RefusalReason;
}

/** Each refusal is a `DonjonError` `agent/forbidden` that says which rule is missing. */
export interface NetworkGuard {
  /** Throws for an address that may not be connected to; what a name leads to only `createLookup` sees. */
  checkConnection(target: Authority): void;
  /** For `connect` of `node:net`: answers the addresses that may be connected to, and fails when there is none. */
  createLookup(target: Authority): LookupFunction;
  /** Throws for an address that may not be listened on. A name is not looked at. */
  checkListener(target: Authority): void;
  /** The address to bind. Rejects also with `gate/refused` when there is none. */
  resolveListener(target: Authority): Promise<string>;
}

export interface GuardParts {
  /** A connection was refused. A listener's refusal is its caller's error alone. */
  readonly onRefused: (refusal: NetworkRefusal) => void;
  /** The system's resolver when not given. */
  readonly resolve?: (host: string) => Promise<readonly LookupAddress[]>;
  /** This machine's addresses, asked for each time. */
  readonly listOwn?: () => readonly IpAddress[];
}

/** Throws `usage` for rules that are not well formed. */
export function createNetworkGuard(rules: NetworkRules, parts: GuardParts): NetworkGuard {
  const {
    onRefused,
    resolve = (host) => lookup(host, { all: true }),
    listOwn = listOwnAddresses,
  } = parts;
  const connect = rules.connect.map(parseConnectRule);
  const listen = rules.listen.map(parseListenRule);
  const refuse = (
    act: Act,
    target: Authority,
    reason: RefusalReason,
    addresses: readonly string[] = [],
  ): DonjonError => {
    if (act === "connect") onRefused({ target: encodeAuthority(target), addresses, reason });
    return new DonjonError("agent/forbidden", describeRefusal(act, target, reason));
  };
  const judge = (act: Act, { host, port }: Authority, address: IpAddress) =>
    act === "connect"
      ? judgeConnection(connect, { name: nameOf(host), address, port, own: listOwn() })
      : judgeListener(listen, address, port);
  const check = (act: Act, target: Authority) => {
    const address = parseIpAddress(target.host);
    const reason = address === null ? null : judge(act, target, address);
    if (reason !== null) throw refuse(act, target, reason);
  };
  /** Those of a name's addresses that are allowed, at least one. */
  const choose = async (act: Act, target: Authority) => {
    const found = await resolve(target.host);
    const judged = found.map((each) => {
      const address = parseIpAddress(each.address);
      return { each, reason: address === null ? "reserved" : judge(act, target, address) };
    });
    const allowed = judged.filter(({ reason }) => reason === null).map(({ each }) => each);
    if (allowed.length > 0) return allowed;
    const addresses = found.map(({ address }) => address);
    throw refuse(act, target, judged[0]?.reason ?? "no-rule", addresses);
  };
  return {
    checkConnection: (target) => check("connect", target),
    createLookup: (target) => (_host, options, done) => {
      choose("connect", target).then(
        (allowed) => {
          if (options.all === true) done(null, [...allowed]);
          else done(null, allowed[0]!.address, allowed[0]!.family);
        },
        (error) => done(error, []),
      );
    },
    checkListener: (target) => check("listen", target),
    async resolveListener(target) {
      check("listen", target);
      if (parseIpAddress(target.host) !== null) return target.host;
      try {
        return (await choose("listen", target))[0]!.address;
      } catch (cause) {
        if (cause instanceof DonjonError) throw cause;
        const message = `cannot listen on ${encodeAuthority(target)}: ${explainListenError(cause as Error)}`;
        throw new DonjonError("gate/refused", message, { cause });
      }
    },
  };
}

/** As rules are written: lower case, without the dot of the root. `null` for an address. */
function nameOf(host: string): string | null {
  return parseIpAddress(host) === null ? host.toLowerCase().replace(/\.$/, "") : null;
}

/** What a name leads to is the host's business: the caller is told the name. */
function describeRefusal(act: Act, target: Authority, reason: RefusalReason): string {
  const where = act === "connect" ? "connect to" : "listen on";
  const because = reason === "no-rule" ? "" : `it is ${DESCRIPTIONS[reason]}, and `;
  const why =
    parseIpAddress(target.host) === null
      ? "no rule allows what the name leads to"
      : `${because}no rule allows it`;
  return `this caller's Keeps may not ${where} ${encodeAuthority(target)}: ${why}; an operator allows it, beside what is allowed now, with --allow-${act} '${suggestRule(act, target)}' (of 'donjon agent token set', or of 'donjon agent' for callers with certificates)`;
}

/** The narrowest rule that allows it. */
function suggestRule(act: Act, { host, port }: Authority): string {
  const ports = port === 0 ? "*" : port;
  const address = parseIpAddress(host);
  if (address === null) return `${act === "connect" ? nameOf(host) : "ADDRESS"}:${ports}`;
  const meant = unwrapIpv4(address);
  return meant.family === 4
    ? `${formatIpv4(meant)}:${ports}`
    : `[${host.split("%", 1)[0]}]:${ports}`;
}

const DESCRIPTIONS: Readonly<Record<SpecialClass, string>> = {
  unspecified: "an unspecified address",
  loopback: "a loopback address",
  own: "an address of the agent's machine",
  private: "a private address",
  "link-local": "a link-local address",
  metadata: "an address of the cloud's own services",
  shared: "a carrier's shared address",
  multicast: "a multicast address",
  reserved: "a reserved address",
};
