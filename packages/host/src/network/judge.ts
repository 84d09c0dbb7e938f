/** What rules say of one address and port. */
import { type IpAddress, isInBlock, unwrapIpv4 } from "./address.ts";
import { findSpecialBlock, type SpecialClass } from "./address-class.ts";
import type { NetworkRule, PortRange } from "./rules.ts";

/** What an address is that no rule opens; `no-rule`: it is public, or a listener's. */
export type RefusalReason = SpecialClass | "no-rule";

/** Port numbers that any user may bind. */
const UNPRIVILEGED: PortRange = { first: 1024, last: 65_535 };

export interface Connecting {
  /** `null`: the address itself was asked for. */
  readonly name: string | null;
  readonly address: IpAddress;
  readonly port: number;
  readonly own: readonly IpAddress[];
}

/**
 * `null`: a rule allows it. What a rule names exactly it opens, also where that is not public: a host name whatever it leads
 * to, a block what is in it. What only a `*` stands for, and a block wider than the special one, is public addresses.
 */
export function judgeConnection(
  rules: readonly NetworkRule[],
  { name, address, port, own }: Connecting,
): RefusalReason | null {
  const meant = unwrapIpv4(address);
  const special = findSpecialBlock(meant, own);
  const isOpen = ({ host, ports }: NetworkRule): boolean => {
    if (port < ports.first || port > ports.last) return false;
    switch (host.kind) {
      case "any":
        return special === null;
      case "name":
        return name === host.name;
      case "domain":
        return special === null && name?.endsWith(host.suffix) === true;
      case "block":
        return isInBlock(meant, host.block) && host.block.prefix >= (special?.block.prefix ?? 0);
    }
  };
  return rules.some(isOpen) ? null : (special?.name ?? "no-rule");
}

/** `null`: a rule allows it. Any free port, 0, is allowed where all unprivileged ports are. */
export function judgeListener(
  rules: readonly NetworkRule[],
  address: IpAddress,
  port: number,
): RefusalReason | null {
  const meant = unwrapIpv4(address);
  const { first, last } = port === 0 ? UNPRIVILEGED : { first: port, last: port };
  const isOpen = ({ host, ports }: NetworkRule): boolean =>
    ports.first <= first &&
    last <= ports.last &&
    (host.kind === "any" || (host.kind === "block" && isInBlock(meant, host.block)));
  return rules.some(isOpen) ? null : "no-rule";
}
