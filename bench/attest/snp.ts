/**
 * SNP verifications a second on recorded evidence, and what one costs without any cache.
 * Usage: sh tools/node.sh bench/attest/snp.ts (needs the vectors; see packages/attest/test/vectors.ts)
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { VerifyCache, verifySnp } from "@donjon/attest/snp";
import { decodePem } from "@donjon/core/pem";

const VECTORS =
  process.env["DONJON_VECTORS"] ?? join(import.meta.dirname, "../../../shared/vectors");
const FOLDER = join(VECTORS, "tee-attestation-verification");
const RUNS = 2000;
const now = new Date("2026-06-01T00:00:00Z");

function pem(name: string): Uint8Array[] {
  return decodePem(readFileSync(join(FOLDER, name), "utf8"), "CERTIFICATE");
}

async function measure(name: string, inFlight: number, run: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < 50; i++) await run();
  const started = performance.now();
  for (let i = 0; i < RUNS; i += inFlight) await Promise.all(Array.from({ length: inFlight }, run));
  const ms = (performance.now() - started) / RUNS;
  console.log(`${name.padEnd(52)} ${ms.toFixed(3)} ms  ${(1000 / ms).toFixed(0)} a second`);
}

for (const product of ["milan", "genoa", "turin"]) {
  const report = new Uint8Array(readFileSync(join(FOLDER, `${product}_attestation_report.bin`)));
  const certificates = [
    ...pem(`${product}_vcek.pem`),
    ...pem(`${product}_ask.pem`),
    ...pem(`${product}_ark.pem`),
  ];
  const cache = new VerifyCache();
  const verify =
    (options: { cache?: VerifyCache }, chain = certificates) =>
    () =>
      verifySnp(report, { certificates: chain }, { now, allow: ["missing-crl"], ...options });
  await measure(`${product}, whole chain, no cache, one at a time`, 1, verify({}));
  await measure(
    `${product}, VCEK alone, no cache, one at a time`,
    1,
    verify({}, certificates.slice(0, 1)),
  );
  await measure(`${product}, whole chain, cache, one at a time`, 1, verify({ cache }));
  await measure(`${product}, whole chain, cache, 8 in flight`, 8, verify({ cache }));
}
