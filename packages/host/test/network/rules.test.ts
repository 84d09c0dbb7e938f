import assert from "node:assert/strict";
import { test } from "node:test";
import { DonjonError } from "@donjon/core/errors";
import { MAX_NETWORK_RULES } from "@donjon/protocol/agent/limits";
import fc from "fast-check";
import {
  completeRules,
  DEFAULT_NETWORK_RULES,
  parseConnectRule,
  parseGivenRules,
  parseListenRule,
} from "../../src/network/rules.ts";

test("rules are read as they are written", () => {
  assert.deepEqual(parseConnectRule("*:*"), {
    host: { kind: "any" },
    ports: { first: 1, last: 65_535 },
  });
  assert.deepEqual(parseConnectRule("DB.Example.com:5432"), {
    host: { kind: "name", name: "db.example.com" },
    ports: { first: 5432, last: 5432 },
  });
  assert.deepEqual(parseConnectRule("*.example.com:8000-8100"), {
    host: { kind: "domain", suffix: ".example.com" },
    ports: { first: 8000, last: 8100 },
  });
  assert.deepEqual(parseConnectRule("10.0.0.0/8:443").host, {
    kind: "block",
    block: { family: 4, bits: 0x0a000000n, prefix: 8 },
  });
  assert.deepEqual(parseListenRule("[::1]:*").host, {
    kind: "block",
    block: { family: 6, bits: 1n, prefix: 128 },
  });
  assert.equal(parseListenRule("*:80").host.kind, "any");
});

test("what is no rule is refused with what would be one", () => {
  for (const [text, says] of [
    ["", /HOST:PORTS is wanted/],
    ["example.com", /such as example\.com:443 or example\.com:\*/],
    ["example.com:", /HOST:PORTS/],
    [":443", /HOST:PORTS/],
    ["::1:80", /goes in brackets, \[::1\]:80/],
    ["[example.com]:80", /HOST:PORTS/],
    ["[::1]", /HOST:PORTS/],
    ["[::1]:80:90", /HOST:PORTS/],
    ["[fe80::1%eth0]:80", /is no address and no block/],
    ["example.com:0", /'0' are no ports/],
    ["example.com:65536", /are no ports/],
    ["example.com:080", /are no ports/],
    ["example.com:90-80", /are no ports/],
    ["example.com:1-2-3", /are no ports/],
    ["example.com:http", /are no ports/],
    ["example.com:+80", /are no ports/],
    ["example.com: 80", /are no ports/],
    ["10.0.0.1/8:*", /bits behind the prefix are 0, such as 10\.0\.0\.0\/8/],
    ["10.0.0.0/99:*", /no block/],
    ["127.1:80", /no address/],
    ["0x7f000001:80", /neither a host name nor an address/],
    ["127.0.0.0x1:80", /neither a host name nor an address/],
    ["example.com/24:80", /no block/],
    ["[::ffff:127.0.0.1]:80", /follow the rules for IPv4/],
    ["[::ffff:0:0/96]:80", /follow the rules for IPv4/],
    ["[64:ff9b::/96]:80", /follow the rules for IPv4/],
    ["*example.com:80", /\* stands alone or for all before a domain/],
    ["a.*.com:80", /\* stands alone/],
    ["**:80", /\* stands alone/],
    ["*.:80", /neither a host name/],
    ["*.*.com:80", /\* stands alone/],
    ["a..b:80", /neither a host name/],
    ["-a.b:80", /neither a host name/],
    ["a.b.:80", /neither a host name/],
    ["user@host:80", /neither a host name/],
    ["http://example.com:80", /HOST:PORTS/],
    ["bücher.example:80", /neither a host name/],
    [`${"a".repeat(64)}.b:80`, /neither a host name/],
    [`${"a.".repeat(140)}b:80`, /neither a host name/],
    ["x".repeat(400), /it has 400 characters/],
    ["none", /stands alone, without other rules/],
  ] as const)
    assert.throws(() => parseConnectRule(text), { code: "usage", message: says }, text);
  for (const name of ["localhost:80", "*.example.com:80"])
    assert.throws(() => parseListenRule(name), {
      code: "usage",
      message: /listeners are bound to addresses/,
    });
});

test("a hostile rule is refused in one short line without control characters", () => {
  const texts = fc.oneof(
    fc.string({ unit: "binary", maxLength: 500 }),
    fc.stringMatching(/^[[\]a-z0-9.:*/%-]{0,40}$/),
    fc.string().map((text) => `\u001b]0;${text}\n:80`),
  );
  fc.assert(
    fc.property(texts, (text) => {
      for (const parse of [parseConnectRule, parseListenRule]) {
        try {
          const { ports } = parse(text);
          assert.ok(1 <= ports.first && ports.first <= ports.last && ports.last <= 65_535);
        } catch (error) {
          assert.ok(error instanceof DonjonError && error.code === "usage", String(error));
          // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
          assert.doesNotMatch(error.message, /[\u0000-\u001f\u007f-\u009f]/);
          assert.ok(error.message.length < 2000);
        }
      }
    }),
    { numRuns: 3000 },
  );
});

test("lists of rules: none given, none at all, and too many", () => {
  assert.deepEqual(
    completeRules(parseGivenRules({ connect: undefined, listen: undefined })),
    DEFAULT_NETWORK_RULES,
  );
  assert.deepEqual(completeRules(parseGivenRules({ connect: ["none"], listen: ["*:80"] })), {
    connect: [],
    listen: ["*:80"],
  });
  const parse = (connect: readonly string[]) => () =>
    parseGivenRules({ connect, listen: undefined });
  assert.throws(parse(["none", "*:*"]), { code: "usage", message: /stands alone/ });
  assert.throws(parse(Array(MAX_NETWORK_RULES + 1).fill("*:*")), {
    code: "usage",
    message: /there are 65 rules for connections, and a caller may have 64/,
  });
  assert.equal(parse(Array(MAX_NETWORK_RULES).fill("*:*"))().connect?.length, MAX_NETWORK_RULES);
});

test("the default rules are rules", () => {
  for (const text of DEFAULT_NETWORK_RULES.connect) parseConnectRule(text);
  for (const text of DEFAULT_NETWORK_RULES.listen) parseListenRule(text);
});
