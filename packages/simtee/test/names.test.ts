/** Whatever shows a simulated certificate shows that it is one. Read with another library than the verifier's. */
import "reflect-metadata";
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { X509Certificate, X509Crl } from "@peculiar/x509";
import { openSecurityProcessor } from "../src/security-processor.ts";
import type { SimulatedTrust } from "../src/trust.ts";
import { machineDirectory } from "./machines.ts";

let trust: SimulatedTrust;
before(async () => {
  ({ trust } = await openSecurityProcessor(machineDirectory()));
});

test("every subject and issuer of every certificate and list says SIMULATED", () => {
  const { amd, intel } = trust;
  const certificates = [...amd.certificates, ...intel.pckChain, ...intel.signingChain].map(
    (der) => new X509Certificate(Buffer.from(der, "base64")),
  );
  const lists = [...amd.crls, intel.rootCrl, intel.pckCrl].map(
    (der) => new X509Crl(Buffer.from(der, "base64")),
  );
  const names = [
    ...certificates.flatMap(({ subject, issuer }) => [subject, issuer]),
    ...lists.map(({ issuer }) => issuer),
  ];
  assert.equal(names.length, 19);
  for (const name of names) assert.match(name, /(^|, )OU=SIMULATED(,|$)/);
});

test("every authority's common name begins with SIMULATED", () => {
  const { amd, intel } = trust;
  const [, ...authorities] = [
    ...amd.certificates,
    ...intel.pckChain.slice(1),
    ...intel.signingChain,
  ];
  const names = authorities.map(
    (der) => new X509Certificate(Buffer.from(der, "base64")).subjectName.getField("CN")[0],
  );
  assert.equal(names.length, 6);
  for (const name of names) assert.match(name ?? "", /^SIMULATED /);
});
