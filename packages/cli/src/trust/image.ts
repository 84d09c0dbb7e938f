/** Which image a proven measurement stands for, as far as anybody here knows. */
import type { Json } from "@donjon/attest/appraise";
import { findReferences, PROTECTING_KINDS, SIMULATED_KINDS } from "../policy/reference.ts";
import type { Answer } from "./answer.ts";
import type { Trust } from "./trust.ts";

/** Where each kind's claims have the measurement of the image. */
const MEASUREMENTS: Readonly<Record<string, { path: readonly string[]; key: string }>> = {
  snp: { path: ["measurement"], key: "measurement" },
  tdx: { path: ["td", "mrTd"], key: "mr_td" },
  sgx: { path: ["enclave", "mrEnclave"], key: "mr_enclave" },
};

export interface KnownImage {
  /** SHA-256 of the image, hex; `null`: its measurement is known, and no image of it is here. */
  readonly digest: string | null;
  /** How it was measured. */
  readonly about: string;
}

/** `null`: none that is built here. */
export function findImage(answer: Answer, { insecure }: Trust): KnownImage | null {
  const measurement = readMeasurement(answer);
  const { tables } = findReferences(insecure ? SIMULATED_KINDS : PROTECTING_KINDS);
  const known = tables
    .filter(({ tee }) => tee === answer.kind)
    .flatMap(({ tee, keys, imageDigest }) => {
      const values = keys[MEASUREMENTS[tee]!.key];
      if (values === undefined || values === "any") return [];
      return values.map((value) => ({ ...value, imageDigest }));
    })
    .find(({ value }) => value === measurement);
  return known === undefined ? null : { digest: known.imageDigest, about: known.about };
}

function readMeasurement({ kind, claims }: Answer): string | null {
  const { path = [] } = MEASUREMENTS[kind ?? ""] ?? {};
  let value: Json | undefined = claims;
  for (const name of path) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
    value = (value as { readonly [name: string]: Json })[name];
  }
  return typeof value === "string" ? value : null;
}
