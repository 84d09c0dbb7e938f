/** IP addresses, and blocks of them, as numbers that can be compared. */
import { isIPv4, isIPv6 } from "node:net";

export interface IpAddress {
  readonly family: 4 | 6;
  readonly bits: bigint;
}

/** All addresses whose first `prefix` bits are those of `bits`. */
export interface IpBlock extends IpAddress {
  readonly prefix: number;
}

const WIDTHS = { 4: 32, 6: 128 } as const;
const IPV4_BITS = 0xffff_ffffn;

export function widthOf({ family }: IpAddress): number {
  return WIDTHS[family];
}

/** `null`: it is no address. An IPv6 address may name its zone (`fe80::1%eth0`), which is left out. */
export function parseIpAddress(text: string): IpAddress | null {
  if (isIPv4(text)) return { family: 4, bits: parseIpv4(text) };
  if (isIPv6(text)) return { family: 6, bits: parseIpv6(text.split("%", 1)[0]!) };
  return null;
}

/** `address` or `address/prefix`. `null`: it is no block, or has bits set behind its prefix. */
export function parseIpBlock(text: string): IpBlock | null {
  const [, start = "", length] = /^([0-9A-Fa-f:.]+)(?:\/(0|[1-9][0-9]{0,2}))?$/.exec(text) ?? [];
  const address = parseIpAddress(start);
  if (address === null) return null;
  const width = widthOf(address);
  const prefix = length === undefined ? width : Number(length);
  if (prefix > width) return null;
  const block = { ...address, prefix };
  return startOf(block) === address.bits ? block : null;
}

export function isInBlock(address: IpAddress, block: IpBlock): boolean {
  if (address.family !== block.family) return false;
  return startOf({ ...address, prefix: block.prefix }) === block.bits;
}

let ipv4Forms: readonly IpBlock[] | null = null;

/** IPv6 forms of IPv4 addresses: mapped (RFC 4291, section 2.5.5.2) and NAT64's well-known prefix (RFC 6052, section 2.1). */
export function listIpv4Forms(): readonly IpBlock[] {
  // Not at loading: the engine's test for IPv6 takes milliseconds to compile, and most commands need none.
  ipv4Forms ??= ["::ffff:0:0/96", "64:ff9b::/96"].map((text) => parseIpBlock(text)!);
  return ipv4Forms;
}

/** The IPv4 address that an IPv6 form of it leads to; any other address as it is. */
export function unwrapIpv4(address: IpAddress): IpAddress {
  return listIpv4Forms().some((form) => isInBlock(address, form))
    ? { family: 4, bits: address.bits & IPV4_BITS }
    : address;
}

/** An IPv4 address as it is written. */
export function formatIpv4({ bits }: IpAddress): string {
  return [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 0xffn).join(".");
}

/** The block's first address, whatever its other bits say. */
function startOf({ family, bits, prefix }: IpBlock): bigint {
  const rest = BigInt(WIDTHS[family] - prefix);
  return (bits >> rest) << rest;
}

function parseIpv4(text: string): bigint {
  return text.split(".").reduce((bits, part) => (bits << 8n) | BigInt(part), 0n);
}

/** `text` is well formed. */
function parseIpv6(text: string): bigint {
  const tail = /[0-9.]+\.[0-9.]+$/.exec(text)?.[0];
  if (tail !== undefined) {
    const bits = parseIpv4(tail);
    const [high, low] = [bits >> 16n, bits & 0xffffn].map((part) => part.toString(16));
    return parseIpv6(`${text.slice(0, -tail.length)}${high}:${low}`);
  }
  const [head = [], end = []] = text
    .split("::")
    .map((side) => side.split(":").filter((group) => group !== ""));
  const zeros = Array<string>(8 - head.length - end.length).fill("0");
  return [...head, ...zeros, ...end].reduce(
    (bits, group) => (bits << 16n) | BigInt(`0x${group}`),
    0n,
  );
}
