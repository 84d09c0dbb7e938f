/**
 * Real evidence recorded by others, read from the folder that `DONJON_VECTORS` names (default: `../shared/vectors`
 * beside the repository). It is not part of the repository; without it these tests are skipped, and say so loudly.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { decodePem, looksLikePem } from "@donjon/core/pem";

const ROOT = join(import.meta.dirname, "../../..");
export const VECTORS = process.env["DONJON_VECTORS"] ?? join(ROOT, "../shared/vectors");

export interface VectorEntry {
  readonly repo: string;
  readonly file: string;
  readonly format: string;
  readonly expected: string;
}

export const haveVectors = existsSync(join(VECTORS, "INDEX.json"));

/** The reason to skip, for `node:test`; false when the vectors are there. */
export const skipVectors = haveVectors
  ? false
  : `no vectors at ${VECTORS}; set DONJON_VECTORS to run this test`;

/** Says how many cases did not run. */
export function warnSkipped(cases: number): void {
  if (!haveVectors)
    console.error(`SKIPPED ${cases} VECTORS: none at ${VECTORS}; set DONJON_VECTORS`);
}

export function readIndex(): readonly VectorEntry[] {
  return JSON.parse(readFileSync(join(VECTORS, "INDEX.json"), "utf8"));
}

export function readVector(path: string): Uint8Array {
  return new Uint8Array(readFileSync(join(VECTORS, path)));
}

export function readVectorText(path: string): string {
  return readFileSync(join(VECTORS, path), "utf8");
}

/** The certificates of a DER or PEM file. */
export function readCertificates(path: string): readonly Uint8Array[] {
  const bytes = readVector(path);
  return looksLikePem(bytes) ? decodePem(readVectorText(path), "CERTIFICATE") : [bytes];
}
