import assert from "node:assert/strict";
import { BlockList, isIP } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { isInBlock, parseIpAddress, parseIpBlock, unwrapIpv4 } from "../../src/network/address.ts";
import { findSpecialBlock } from "../../src/network/address-class.ts";

const ipv4 = fc.ipV4();
/** Addresses near each other and in known blocks, so that many are in many blocks. */
const near = fc
  .tuple(
    fc.constantFrom(
      "::",
      "::ffff:0:0",
      "64:ff9b::",
      "fe80::",
      "fc00::",
      "2001:db8::",
      "ff02::",
      "8000::",
    ),
    fc.integer({ min: 0, max: 0xffff }),
  )
  .map(([start, low]) =>
    start.endsWith("::") ? `${start}${low.toString(16)}` : `::ffff:0:${low.toString(16)}`,
  );
const ipv6 = fc.oneof(fc.ipV6(), near);

test("an address is the same number however it is written", () => {
  for (const [a, b] of [
    ["::1", "0:0:0:0:0:0:0:1"],
    ["::ffff:127.0.0.1", "::ffff:7f00:1"],
    ["64:ff9b::10.0.0.1", "64:FF9B:0:0::a00:1"],
    ["1::", "1:0:0:0:0:0:0:0"],
    ["fe80::1%eth0", "fe80::1"],
    ["1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"],
    ["::", "0::0"],
  ] as const)
    assert.deepEqual(parseIpAddress(a), parseIpAddress(b), a);
  assert.deepEqual(parseIpAddress("255.1.2.3"), { family: 4, bits: 0xff010203n });
});

test("what is no address to Node is none here, and the other way round", () => {
  const texts = fc.oneof(ipv4, ipv6, fc.string(), fc.stringMatching(/^[0-9a-fx:.%]{0,24}$/));
  fc.assert(
    fc.property(texts, (text) => {
      assert.equal(parseIpAddress(text)?.family ?? 0, isIP(text));
    }),
    { numRuns: 2000 },
  );
});

test("an address is in a block when Node's own list of blocks says so", () => {
  let inside = 0;
  const agree = (a: string, b: string, length: number) => {
    const address = parseIpAddress(a)!;
    const start = parseIpAddress(b)!;
    const family = start.family === 4 ? "ipv4" : "ipv6";
    const prefix = length % (start.family === 4 ? 33 : 129);
    const shift = BigInt((start.family === 4 ? 32 : 128) - prefix);
    const block = { family: start.family, bits: (start.bits >> shift) << shift, prefix };
    const oracle = new BlockList();
    oracle.addSubnet(b, prefix, family);
    const wanted = oracle.check(a, address.family === 4 ? "ipv4" : "ipv6");
    // Node finds mapped addresses in blocks of IPv4, and the other way round; here that is `unwrapIpv4`.
    if (address.family === start.family)
      assert.equal(isInBlock(address, block), wanted, `${a} in ${b}/${prefix}`);
    else assert.equal(isInBlock(address, block), false);
    inside += wanted ? 1 : 0;
  };
  const prefix = fc.nat({ max: 128 });
  fc.assert(fc.property(ipv4, ipv4, prefix, agree));
  fc.assert(fc.property(near, near, prefix, agree), { numRuns: 1000 });
  fc.assert(fc.property(ipv6, ipv6, prefix, agree));
  assert.ok(inside > 50, `only ${inside} were inside`);
});

test("a block has no bits behind its prefix", () => {
  for (const text of [
    "10.0.0.0/8",
    "0.0.0.0/0",
    "127.0.0.1",
    "127.0.0.1/32",
    "::/0",
    "fc00::/7",
    "::1/128",
  ])
    assert.ok(parseIpBlock(text), text);
  for (const text of [
    "10.0.0.1/8",
    "fe00::1/7",
    "10.0.0.0/33",
    "::/129",
    "10.0.0.0/08",
    "10.0.0.0/-1",
    "10.0.0.0/",
    "10.0.0/8",
    "10.0.0.0/8/8",
    "fe80::1%eth0",
    "010.0.0.0",
    "",
  ])
    assert.equal(parseIpBlock(text), null, text);
});

const classOf = (text: string, own: readonly string[] = []) =>
  findSpecialBlock(
    unwrapIpv4(parseIpAddress(text)!),
    own.map((each) => parseIpAddress(each)!),
  )?.name ?? "public";

test("addresses are what IANA's registries say", () => {
  const wanted: Readonly<Record<string, readonly string[]>> = {
    unspecified: ["0.0.0.0", "0.1.2.3", "::", "::ffff:0.0.0.0"],
    loopback: ["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"],
    private: [
      "10.0.0.0",
      "10.255.255.255",
      "172.16.0.1",
      "172.31.255.255",
      "192.168.0.1",
      "fd00:ec2::254",
      "fec0::1",
    ],
    "link-local": [
      "169.254.169.254",
      "::ffff:a9fe:a9fe",
      "64:ff9b::169.254.169.254",
      "fe80::1",
      "febf::1",
    ],
    metadata: ["168.63.129.16"],
    shared: ["100.64.0.0", "100.100.100.200", "100.127.255.255"],
    multicast: ["224.0.0.1", "239.255.255.255", "ff02::1"],
    reserved: [
      "192.0.0.8",
      "198.18.0.1",
      "203.0.113.1",
      "240.0.0.1",
      "255.255.255.255",
      "::127.0.0.1",
      "64:ff9b:1::a00:1",
      "100::1",
      "2001::1",
      "2001:db8::1",
      "2002:7f00:1::1",
      "2002:808:808::1",
      "3fff::1",
      "4000::1",
      "5f00::1",
      "e000::1",
    ],
    public: [
      "1.1.1.1",
      "9.255.255.255",
      "11.0.0.0",
      "100.63.255.255",
      "100.128.0.0",
      "126.255.255.255",
      "128.0.0.0",
      "172.15.255.255",
      "172.32.0.0",
      "223.255.255.255",
      "2606:4700::1111",
      "2003::1",
      "::ffff:1.1.1.1",
      "64:ff9b::101:101",
    ],
  };
  for (const [name, texts] of Object.entries(wanted))
    for (const text of texts) assert.equal(classOf(text), name, text);
});

test("this machine's own addresses are not public to it", () => {
  const own = ["8.8.4.4", "2606:4700::1", "127.0.0.1", "10.0.0.5"];
  assert.equal(classOf("8.8.4.4", own), "own");
  assert.equal(classOf("::ffff:8.8.4.4", own), "own");
  assert.equal(classOf("2606:4700::1", own), "own");
  assert.equal(classOf("10.0.0.5", own), "own");
  assert.equal(classOf("127.0.0.1", own), "loopback");
  assert.equal(classOf("8.8.4.5", own), "public");
});

test("no IPv4 address is more public in an IPv6 form", () => {
  fc.assert(
    fc.property(ipv4, (text) => {
      for (const form of ["::ffff:", "64:ff9b::"])
        assert.equal(classOf(form + text), classOf(text));
      for (const form of ["::", "64:ff9b:1::"]) assert.notEqual(classOf(form + text), "public");
    }),
  );
});
