/** The few claims that a person looks at first. */
import type { Json } from "@donjon/attest/appraise";
import { showSafely } from "../output/style.ts";
import type { Kind } from "./judge.ts";

type Path = string;
type Fact = readonly [name: string, ...paths: Path[]];

const PLATFORM: readonly Fact[] = [
  ["platform", "platform.fmspc"],
  ["tcb", "tcb.status", "tcb.tcbDate"],
  ["advisories", "tcb.advisoryIds"],
];

const FACTS: Readonly<Record<Kind, readonly Fact[]>> = {
  snp: [
    ["product", "product", "signer"],
    ["measurement", "measurement"],
    ["report data", "reportData"],
    ["debug", "policy.debug"],
    ["tcb", "tcb.reported"],
  ],
  tdx: [
    ["mrtd", "td.mrTd"],
    ["report data", "td.reportData"],
    ["debug", "attributes.debug"],
    ...PLATFORM,
  ],
  sgx: [
    ["mrenclave", "enclave.mrEnclave"],
    ["mrsigner", "enclave.mrSigner"],
    ["report data", "enclave.reportData"],
    ["debug", "attributes.debug"],
    ...PLATFORM,
  ],
  nitro: [
    ["module", "moduleId"],
    ["time", "timestamp"],
    ["pcr0", "pcrs.0"],
    ["user data", "userData"],
    ["debug", "debug"],
  ],
};

export function listFacts(kind: Kind, claims: Json): (readonly [string, string])[] {
  return FACTS[kind].flatMap(([name, ...paths]) => {
    const values = paths.map((path) => at(claims, path)).filter((value) => value !== undefined);
    return values.length === 0 ? [] : [[name, values.map(show).join(", ")] as const];
  });
}

function at(claims: Json, path: Path): Json | undefined {
  let value: Json | undefined = claims;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    value = (value as { readonly [name: string]: Json })[name];
  }
  return value ?? undefined;
}

function show(value: Json | undefined): string {
  if (Array.isArray(value)) return showSafely(value.join(", ")) || "none";
  if (typeof value === "boolean") return value ? "on" : "off";
  if (typeof value !== "object" || value === null) return showSafely(String(value));
  return Object.entries(value)
    .filter(([, part]) => part !== null)
    .map(([name, part]) => `${name} ${String(part)}`)
    .join(", ");
}
