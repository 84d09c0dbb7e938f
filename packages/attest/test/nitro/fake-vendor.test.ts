/** Nitro documents of a made-up AWS: good of every kind, and bad with one thing wrong. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import {
  badNitroDocuments,
  type FakeNitro,
  makeFakeNitro,
  makeNitroDocument,
  NITRO_NOW,
} from "@donjon/testkit/nitro";
import { NITRO_REASONS } from "../../src/nitro/reasons.ts";
import { verifyNitro } from "../../src/nitro/verify.ts";
import { refusal } from "../refusal.ts";

let nitro: FakeNitro;
before(async () => {
  nitro = await makeFakeNitro();
});

const verify = (document: Uint8Array) =>
  verifyNitro(document, { now: NITRO_NOW, roots: nitro.roots });

test("verifyNitro accepts a document of an enclave", async () => {
  const { claims, anchor } = await verify(await makeNitroDocument(nitro));
  assert.equal(claims.source, "enclave");
  assert.equal(claims.debug, false);
  assert.equal(claims.moduleId, "i-0123-enc0123");
  assert.deepEqual(claims.timestamp, NITRO_NOW);
  assert.equal(claims.pcrs.size, 16);
  assert.deepEqual([...claims.userData!], [1, 2, 3]);
  assert.equal(claims.nonce, undefined);
  assert.equal(claims.expires.toISOString(), "2026-06-01T03:00:00.000Z");
  assert.equal(anchor.origin, "caller");
});

test("verifyNitro accepts a tagged document", async () => {
  assert.equal(
    (await verify(await makeNitroDocument(nitro, { tagged: true }))).claims.source,
    "enclave",
  );
});

test("verifyNitro accepts a document of a NitroTPM, whose zero registers mean no debug mode", async () => {
  const pcrs = new Map([[0, new Uint8Array(48)]]);
  const document = await makeNitroDocument(nitro, { tpm: true, payload: { nitrotpm_pcrs: pcrs } });
  const { claims } = await verify(document);
  assert.equal(claims.source, "tpm");
  assert.equal(claims.debug, false);
});

test("verifyNitro says that an enclave whose PCR0 is zero or missing runs in debug mode", async () => {
  for (const pcrs of [
    new Map([[0, new Uint8Array(48)]]),
    new Map([[1, new Uint8Array(48).fill(1)]]),
  ]) {
    assert.equal(
      (await verify(await makeNitroDocument(nitro, { payload: { pcrs } }))).claims.debug,
      true,
    );
  }
});

test("verifyNitro refuses simulated documents without the caller's root", async () => {
  const document = await makeNitroDocument(nitro);
  await assert.rejects(verifyNitro(document, { now: NITRO_NOW }), refusal("nitro/root"));
});

test("every way to be bad is refused with its own reason", async (t) => {
  const all = badNitroDocuments(nitro);
  for (const { name, reason, make } of all) {
    await t.test(`${name}: ${reason}`, async () => {
      await assert.rejects(verify(await make()), refusal(reason));
    });
  }
  const shown = new Set<string>(all.map(({ reason }) => reason));
  assert.deepEqual(
    Object.keys(NITRO_REASONS).filter((reason) => !shown.has(reason)),
    [],
  );
});
