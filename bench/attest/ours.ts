/**
 * This library as a peer: the same commands as the programs under `peers`. With `CACHED=1` it keeps one cache,
 * with `IN_FLIGHT=N` it has that many verifications under way at once.
 */
import { readFileSync } from "node:fs";
import { verifySgx } from "@donjon/attest/sgx";
import { type AmdProductName, type AmdRoot, VerifyCache, verifySnp } from "@donjon/attest/snp";
import { AMD_ROOTS_WITH_VLEK } from "@donjon/attest/snp-vlek";
import { parseQuoteCollateralV3, verifyTdx } from "@donjon/attest/tdx";
import { encodeHex } from "@donjon/core/hex";
import { parseCertificate } from "@donjon/core/x509";
import type { Case } from "./cases.ts";

const octets = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64"));
const inFlight = Number(process.env["IN_FLIGHT"] ?? 1);
const shared = process.env["CACHED"] === "1" ? new VerifyCache() : undefined;

/** Decodes a case once; answers what verifies it. */
function prepare(one: Case): () => Promise<string> {
  const now = new Date(1000 * one.now);
  const evidence = octets(one.evidence);
  const common = { now, ...(shared && { cache: shared }) };
  if (one.kind === "snp") {
    const certificates = [one.vek, one.ask, one.ark].flatMap((der) =>
      der === null ? [] : [octets(der)],
    );
    const crls = one.crl === null ? [] : [octets(one.crl)];
    const allow = one.crl === null && one.root === null ? (["missing-crl"] as const) : [];
    const roots = one.root === null ? AMD_ROOTS_WITH_VLEK : [readAmdRoot(octets(one.root))];
    return async () =>
      (await verifySnp(evidence, { certificates, crls }, { ...common, allow, roots })).kind;
  }
  const text = JSON.stringify(one.collateral);
  const roots = one.root === null ? {} : { roots: [readIntelRoot(octets(one.root))] };
  const verify = one.kind === "tdx" ? verifyTdx : verifySgx;
  return async () => {
    const { claims } = await verify(evidence, parseQuoteCollateralV3(text), {
      ...common,
      ...roots,
    });
    return claims.tcb?.status ?? "unknown";
  };
}

function readAmdRoot(der: Uint8Array): AmdRoot {
  const { subject, serialNumber, notBeforeMs, notAfterMs, publicKey } = parseCertificate(der);
  const commonName = subject.commonName ?? "";
  return {
    origin: "caller",
    product: commonName.replace("ARK-", "") as AmdProductName,
    ark: {
      commonName,
      serialNumber: encodeHex(serialNumber),
      notBefore: new Date(notBeforeMs).toISOString(),
      notAfter: new Date(notAfterMs).toISOString(),
      spki: Buffer.from(publicKey.encoding).toString("base64"),
    },
  };
}

function readIntelRoot(der: Uint8Array) {
  const { subject, publicKey } = parseCertificate(der);
  const spki = Buffer.from(publicKey.encoding).toString("base64");
  return { commonName: subject.commonName ?? "", spki };
}

const [command, file = "", id, rounds, ms] = process.argv.slice(2);
const cases: readonly Case[] = JSON.parse(readFileSync(file, "utf8"));
if (command === "check") {
  for (const one of cases) {
    const answer = await Promise.resolve()
      .then(() => prepare(one)())
      .then(
        (says) => ({ accepted: true, says }),
        (error: Error & { reason?: string }) => ({
          accepted: false,
          says: error.reason ?? error.message,
        }),
      );
    console.log(JSON.stringify({ id: one.id, ...answer }));
  }
} else {
  const verify = prepare(cases.find((one) => one.id === id)!);
  const out: number[] = [];
  for (let round = 0; round <= Number(rounds); round++) {
    const started = performance.now();
    let count = 0;
    for (; performance.now() - started < Number(ms); count += inFlight)
      await Promise.all(Array.from({ length: inFlight }, verify));
    if (round > 0) out.push((performance.now() - started) / count);
  }
  console.log(JSON.stringify({ rounds: out }));
}
