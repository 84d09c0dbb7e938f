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

/** A row for people. */
export function describeImage(answer: Answer, { insecure }: Trust): [string, string] {
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
  if (known === undefined) return ["image", "not one that is built here"];
  return ["image", `sha256:${known.imageDigest}, built here (${known.about})`];
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
