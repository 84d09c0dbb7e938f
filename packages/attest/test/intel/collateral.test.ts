/** Every TCB info, QE identity and PCK certificate of the vectors that is not part of a quote's test. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DonjonError } from "@donjon/core/errors";
import { decodePem } from "@donjon/core/pem";
import { parseCertificate } from "@donjon/core/x509";
import { splitSignedJson } from "../../src/intel/collateral.ts";
import { parseEnclaveIdentity } from "../../src/intel/enclave-identity.ts";
import { parsePckExtension } from "../../src/intel/pck-extension.ts";
import { parseTcbInfo } from "../../src/intel/tcb-info.ts";
import { VerifyCache } from "../../src/verify-cache.ts";
import {
  haveVectors,
  readCertificates,
  readIndex,
  readVector,
  readVectorText,
  skipVectors,
  warnSkipped,
} from "../vectors.ts";
import { collateralFrom } from "./collateral.ts";

const index = haveVectors ? readIndex() : [];
const refused = (error: unknown) => error instanceof DonjonError && error.code.startsWith("bytes/");

const OPEN_ENCLAVE = index
  .filter(({ repo, file }) => repo === "openenclave" && file.endsWith(".json"))
  .map(({ file }) => `openenclave/${file}`);

function parseAnswer(path: string): void {
  const text = readVectorText(path);
  if (path.includes("/qeidentity/")) {
    parseEnclaveIdentity(splitSignedJson(text, ["enclaveIdentity", "qeIdentity"]).text);
  } else {
    parseTcbInfo(splitSignedJson(text, ["tcbInfo"]).text);
  }
}

for (const path of OPEN_ENCLAVE) {
  const bad = /Negative|missing|wrong/.test(path);
  test(`${path} is ${bad ? "refused" : "read"}`, () => {
    if (bad) assert.throws(() => parseAnswer(path), refused);
    else parseAnswer(path);
  });
}

test("the 77 Open Enclave files were all read or refused", { skip: skipVectors }, () => {
  assert.equal(OPEN_ENCLAVE.length, 77);
});

/** Signed by Intel, with the answer's time for the collateral's chain. */
const SIGNED = index
  .map(({ repo, file }) => `${repo}/${file}`)
  .filter((path) =>
    /^(teekit\/tcbinfo|rust-sgx\/pcs\/(tcb-json|qe-identity|eval-num)|rust-sgx\/pcs\/.*\.(tcb|id)$)/.test(
      path,
    ),
  )
  .filter((path) => !path.endsWith(".numbers"));

/** Their source keeps these three without signature. */
const UNSIGNED = SIGNED.filter((path) => /00606a000000-(8|13|14)\.tcb$/.test(path));

for (const path of UNSIGNED) {
  test(`${path} is read, though its source left out the signature`, () => {
    const { raw_tcb_info: text, signature } = JSON.parse(readVectorText(path));
    assert.deepEqual(signature, []);
    assert.equal(`${parseTcbInfo(text).evaluationDataNumber}`, /-(\d+)\.tcb$/.exec(path)?.[1]);
  });
}

for (const path of SIGNED.filter((one) => !UNSIGNED.includes(one))) {
  test(`${path} is read, and Intel signed exactly its text`, async () => {
    const identity = /qe/.test(path.slice(path.lastIndexOf("/")));
    const compact = /\n {2}"/.test(readVectorText(path)) && path.endsWith(".json");
    const collateral = collateralFrom({ [identity ? "qeIdentity" : "tcbInfo"]: path, compact });
    const signed = (identity ? collateral.qeIdentity : collateral.tcbInfo)!;
    const chain = (identity ? collateral.qeIdentityIssuerChain : collateral.tcbInfoIssuerChain)!;
    const value = identity ? parseEnclaveIdentity(signed.text) : parseTcbInfo(signed.text);
    const number = /-(\d+)\.(tcb|id)$/.exec(path)?.[1];
    if (number !== undefined) assert.equal(value.evaluationDataNumber, Number(number));
    const key = parseCertificate(chain[0]!).publicKey.encoding;
    const verify = (text: string) =>
      new VerifyCache().verifySignature(
        "ecdsa-p256-sha256",
        key,
        signed.signature,
        new TextEncoder().encode(text),
      );
    assert.equal(await verify(signed.text), true);
    assert.equal(await verify(signed.text.replace("Date", "date")), false);
  });
}

test("the 24 answers of the PCS were all read", { skip: skipVectors }, () => {
  assert.equal(SIGNED.length, 24);
});

const PCKS: readonly (readonly [path: string, multi: boolean])[] = [
  ["enarx-sgx/multi_pck.crt", true],
  ["enarx-sgx/single_pck.crt", false],
  ["intel-dcap-qvl/pckCert.pem", false],
];

for (const [path, multi] of PCKS) {
  test(`${path} says what platform it is for`, { skip: skipVectors }, () => {
    const extension = parsePckExtension(parseCertificate(readCertificates(path)[0]!));
    assert.equal(extension.fmspc.length, 6);
    assert.equal(extension.platformInstanceId?.length, multi ? 16 : undefined);
    assert.equal(extension.smtEnabled !== undefined, multi);
  });
}

test("the PCK certificate of rust-sgx says what platform it is for", { skip: skipVectors }, () => {
  const path = index.find(({ file }) => file.endsWith(".pckcert"))!;
  const { cert } = JSON.parse(readVectorText(`${path.repo}/${path.file}`));
  const extension = parsePckExtension(parseCertificate(decodePem(cert, "CERTIFICATE")[0]!));
  assert.equal(Buffer.from(extension.fmspc).toString("hex"), "00906ea10000");
});

test("the tampered root of rust-sgx is no certificate", { skip: skipVectors }, () => {
  assert.throws(
    () => parseCertificate(readCertificates("rust-sgx/nitro/tampered_root_cert.crt")[0]!),
    refused,
  );
  assert.ok(readVector("rust-sgx/nitro/tampered_root_cert.crt").length > 0);
});

warnSkipped(77 + 24 + PCKS.length + 2);
