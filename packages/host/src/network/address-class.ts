/** Which addresses lead to the internet, and what the others are. */
import { networkInterfaces } from "node:os";
import {
  type IpAddress,
  type IpBlock,
  isInBlock,
  parseIpAddress,
  parseIpBlock,
  widthOf,
} from "./address.ts";

/** `own`: an address of this machine that is not loopback. `shared`: of carriers (RFC 6598). `metadata`: a cloud's, of its machine. */
export type SpecialClass =
  | "unspecified"
  | "loopback"
  | "own"
  | "private"
  | "link-local"
  | "metadata"
  | "shared"
  | "multicast"
  | "reserved";

export interface SpecialBlock {
  readonly name: SpecialClass;
  readonly block: IpBlock;
}

/**
 * All that is not globally reachable (IANA's special-purpose address registries, RFC 6890), all of IPv6 outside 2000::/3,
 * the only part that is handed out (RFC 4291, section 2.4), and tunnels that would lead back to IPv4 (6to4, Teredo).
 */
const BLOCKS: Readonly<Record<Exclude<SpecialClass, "own">, readonly string[]>> = {
  unspecified: ["0.0.0.0/8", "::/128"],
  loopback: ["127.0.0.0/8", "::1/128"],
  private: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"],
  "link-local": ["169.254.0.0/16", "fe80::/10"],
  // Azure's, the one that is not in a block of another class.
  metadata: ["168.63.129.16/32"],
  shared: ["100.64.0.0/10"],
  multicast: ["224.0.0.0/4", "ff00::/8"],
  reserved: [
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "::/3",
    "4000::/2",
    "8000::/1",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
  ],
};

let special: readonly SpecialBlock[] | null = null;

/** The narrowest first: it says best what an address is. */
function listSpecialBlocks(): readonly SpecialBlock[] {
  special ??= Object.entries(BLOCKS)
    .flatMap(([name, blocks]) =>
      blocks.map((text) => ({ name: name as SpecialClass, block: parseIpBlock(text)! })),
    )
    .sort((a, b) => b.block.prefix - a.block.prefix);
  return special;
}

/** The special block that an address is in; `null`: it is public. `own`: this machine's addresses. IPv4 is not unwrapped. */
export function findSpecialBlock(
  address: IpAddress,
  own: readonly IpAddress[],
): SpecialBlock | null {
  const found = listSpecialBlocks().find(({ block }) => isInBlock(address, block)) ?? null;
  if (found?.name === "loopback") return found;
  const isOwn = own.some(({ family, bits }) => family === address.family && bits === address.bits);
  // A service that is kept from the network by a firewall is still open to this machine itself.
  return isOwn ? { name: "own", block: { ...address, prefix: widthOf(address) } } : found;
}

/** This machine's addresses, as they are now. */
export function listOwnAddresses(): readonly IpAddress[] {
  return Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .map(({ address }) => parseIpAddress(address))
    .filter((address) => address !== null);
}
