import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decode, encode } from "cborg";
import fc from "fast-check";
import {
  BINDING_TYPE,
  type Binding,
  encodeBinding,
  parseBinding,
} from "../../src/attestation/binding.ts";
import { AUXILIARY_TYPE, EVIDENCE_TYPES, encodeEvidence } from "../../src/attestation/evidence.ts";

const value = fc.uint8Array({ minLength: 32, maxLength: 32 });
const maybe = fc.option(value, { nil: null });
const bindings: fc.Arbitrary<Binding> = fc.record({
  nonce: maybe,
  exporter: maybe,
  key: value,
  manifest: maybe,
  workload: maybe,
  owner: maybe,
});

describe("the binding", () => {
  test("is the array that a CBOR library writes", () => {
    fc.assert(
      fc.property(bindings, (binding) => {
        const { nonce, exporter, key, manifest, workload, owner } = binding;
        const array = ["donjon/binding/1", nonce, exporter, key, manifest, workload, owner];
        assert.deepEqual(encodeBinding(binding), new Uint8Array(encode(array)));
      }),
    );
  });

  test("comes back from its bytes, and from no others", () => {
    fc.assert(
      fc.property(bindings, fc.nat(), fc.integer({ min: 1, max: 255 }), (binding, at, flip) => {
        const bytes = encodeBinding(binding);
        assert.deepEqual({ ...parseBinding(bytes) }, { ...binding });
        for (let length = 0; length < bytes.length; length++) {
          assert.throws(() => parseBinding(bytes.subarray(0, length)), {
            code: "evidence/malformed",
          });
        }
        assert.throws(() => parseBinding(Uint8Array.of(...bytes, 0)), {
          code: "evidence/malformed",
        });
        const changed = bytes.slice();
        changed[at % bytes.length]! ^= flip;
        let other: Binding | null = null;
        try {
          other = parseBinding(changed);
        } catch {}
        if (other !== null) assert.notDeepEqual(other, binding);
      }),
    );
  });

  test("refuses values that are not 32 octets, and no key", () => {
    const binding = parseBinding(
      encodeBinding({
        nonce: null,
        exporter: null,
        key: new Uint8Array(32),
        manifest: null,
        workload: null,
        owner: null,
      }),
    );
    assert.throws(() => encodeBinding({ ...binding, nonce: new Uint8Array(31) }), RangeError);
    const none = encode(["donjon/binding/1", null, null, null, null, null, null]);
    assert.throws(() => parseBinding(none), { code: "evidence/malformed" });
  });
});

describe("evidence as a CMW", () => {
  test("is the collection that a CBOR library writes, for every length of head", () => {
    for (const length of [0, 23, 24, 255, 256, 65_535, 65_536]) {
      const binding = new Uint8Array(5).fill(1);
      const evidence = new Uint8Array(length).fill(2);
      const auxiliary = new Uint8Array(length).fill(3);
      const members = new Map<string, unknown>([
        ["binding", [BINDING_TYPE, binding]],
        ["evidence", [EVIDENCE_TYPES.snp, evidence, 4]],
      ]);
      if (length > 0) members.set("auxiliary", [AUXILIARY_TYPE, auxiliary, 2]);
      const bytes = encodeEvidence(binding, { tee: "snp", evidence, auxiliary });
      assert.deepEqual(bytes, new Uint8Array(encode(members)));
      assert.deepEqual(decode(bytes, { useMaps: true }), members);
    }
  });
});
