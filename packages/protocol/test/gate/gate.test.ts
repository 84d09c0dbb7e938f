import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  encodeAuthority,
  encodeHealth,
  encodeLaneTarget,
  encodeListenTarget,
  parseAuthority,
  parseHealth,
  parseKeepCall,
} from "../../src/gate/gate.ts";

test("a listener's name survives its target", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 80, unit: "grapheme" }), (name) => {
      assert.deepEqual(parseKeepCall(encodeListenTarget(name)), { kind: "listen", name });
    }),
  );
});

test("a session is asked for in frames or over the lane", () => {
  for (const kind of ["session", "bare-session"] as const) {
    assert.deepEqual(parseKeepCall(kind), { kind, lane: false });
    assert.deepEqual(parseKeepCall(encodeLaneTarget(kind)), { kind, lane: true });
  }
});

test("the gate refuses every call that is neither session nor listener", () => {
  for (const authority of [
    "",
    "Session",
    "listen",
    "listen:",
    "health ",
    "lane:",
    "lane:health",
    "lane:lane:session",
    "example.org:443",
    `listen:${"x".repeat(257)}`,
  ]) {
    assert.throws(() => parseKeepCall(authority), { code: "gate/protocol" });
  }
});

test("an authority is read as it was written", () => {
  for (const text of ["example.org:443", "127.0.0.1:1", "[::1]:65535"]) {
    assert.equal(encodeAuthority(parseAuthority(text)), text);
  }
  assert.deepEqual(parseAuthority("EXAMPLE.org:80"), { host: "example.org", port: 80 });
});

test("the gate refuses an authority that is not exactly host and port", () => {
  const bad = [
    "",
    "example.org",
    "example.org:",
    "example.org:0",
    "example.org:65536",
    "a b:1",
    "::1:80",
    "[::1]",
    "u@h:1",
    "h:1/p",
    "h:01",
    `${"a".repeat(254)}:1`,
  ];
  for (const text of bad) assert.throws(() => parseAuthority(text), { code: "gate/protocol" });
});

test("health is read strictly", () => {
  assert.deepEqual(parseHealth(encodeHealth("running")), { protocol: 1, state: "running" });
  for (const body of [
    "",
    "{}",
    '{"protocol":2,"state":"new"}',
    '{"protocol":1,"state":"old"}',
    "null",
  ]) {
    assert.throws(() => parseHealth(body), { code: "gate/protocol" });
  }
});
