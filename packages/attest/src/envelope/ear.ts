/**
 * Appraisals as EAT Attestation Results, signed as JWT.
 * Source: draft-ietf-rats-ear-04; draft-ietf-rats-ar4si for the trustworthiness vector. Code in the field still writes
 * dotted names (`ear.status`) under older profiles: both are read, either is written.
 */
import { errors, jwtVerify, SignJWT } from "jose";
import type { Appraisal } from "../appraise/appraise.ts";
import type { PolicyReason } from "../appraise/reasons.ts";
import { AttestError } from "../attest-error.ts";
import type { Json } from "../plain.ts";
import { envelopeError } from "./envelope-error.ts";

export const EAR_PROFILE = "tag:ietf.org,2026:rats/ear#04";
/** Veraison's and Trustee's. */
export const DEPLOYED_EAR_PROFILES = [
  "tag:github.com,2023:veraison/ear",
  "tag:github.com,2024:confidential-containers/Trustee",
] as const;

export const TIERS = { none: 0, affirming: 2, warning: 32, contraindicated: 96 } as const;
export type Tier = keyof typeof TIERS;

export const VECTOR = [
  "instance-identity",
  "configuration",
  "executables",
  "file-system",
  "hardware",
  "runtime-opaque",
  "storage-opaque",
  "sourced-data",
] as const;
/** Values from -128 to 127; only what was judged is there. */
export type TrustVector = { readonly [Name in (typeof VECTOR)[number]]?: number };

export interface EarSubmodule {
  readonly status: Tier;
  readonly vector: TrustVector;
  readonly policyIds: readonly string[];
  /** What the attester says, as the verifier saw it. */
  readonly attesterClaims: Json;
}

export interface Ear {
  readonly profile: string;
  /** Seconds since 1970. */
  readonly issuedAt: number;
  readonly nonce: string | undefined;
  readonly verifier: { readonly developer: string; readonly build: string };
  readonly submodules: ReadonlyMap<string, EarSubmodule>;
}

export interface EarOptions {
  readonly issuedAt: Date;
  readonly verifier: { readonly developer: string; readonly build: string };
  readonly nonce?: string;
  /** Names of the policies that judged. */
  readonly policyIds?: readonly string[];
  /** `draft-04` writes underscores, `dotted` the names that Veraison and Trustee read. Default `draft-04`. */
  readonly spelling?: "draft-04" | "dotted";
}

/** Which part of the vector a question of the policy belongs to. */
const ASPECT: Readonly<Record<PolicyReason, (typeof VECTOR)[number]>> = {
  "policy/kind": "hardware",
  "policy/report-data": "instance-identity",
  "policy/measurement": "executables",
  "policy/debug": "configuration",
  "policy/migration": "configuration",
  "policy/smt": "configuration",
  "policy/vmpl": "configuration",
  "policy/tcb": "hardware",
  "policy/provisional": "hardware",
  "policy/svn": "executables",
  "policy/abi": "configuration",
  "policy/firmware": "hardware",
  "policy/host-data": "configuration",
  "policy/identity": "executables",
  "policy/signer": "executables",
  "policy/platform": "instance-identity",
  "policy/features": "configuration",
  "policy/mitigations": "hardware",
  "policy/tcb-status": "hardware",
  "policy/advisories": "hardware",
  "policy/evaluation": "hardware",
  "policy/age": "instance-identity",
};

/** The claims set of an appraisal. Evidence by a root that no vendor pins is never better than a warning. */
export function encodeEar(appraisal: Appraisal, options: EarOptions): Record<string, Json> {
  const name =
    options.spelling === "dotted"
      ? (text: string) => `ear.${text.replaceAll("_", "-")}`
      : (text: string) => `ear_${text}`;
  const vector = trustVector(appraisal);
  const policyIds = options.policyIds ?? [];
  const submodule: Record<string, Json> = {
    [name("status")]: overallTier(vector),
    [name("trustworthiness_vector")]: { ...vector },
    [name("attester_claims")]: appraisal.claims,
  };
  if (policyIds.length > 0 && options.spelling === "dotted")
    submodule["ear.appraisal-policy-id"] = policyIds.join(" ");
  else if (policyIds.length > 0) submodule[name("appraisal_policy_ids")] = [...policyIds];
  return {
    eat_profile: options.spelling === "dotted" ? DEPLOYED_EAR_PROFILES[0] : EAR_PROFILE,
    iat: Math.floor(options.issuedAt.getTime() / 1000),
    [name("verifier_id")]: { ...options.verifier },
    ...(options.nonce !== undefined && { eat_nonce: options.nonce }),
    submods: { [appraisal.kind]: submodule },
  };
}

/** Signs a claims set. `algorithm` is a JWS name such as `ES384`. */
export async function signEar(
  claims: Record<string, Json>,
  key: CryptoKey,
  algorithm: string,
): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: algorithm, typ: "JWT" }).sign(key);
}

/**
 * The claims of a signed result, in either spelling.
 * @param algorithms the JWS names that the verifier's key may be used with
 * @throws AttestError `evidence/refused` (`envelope/signature`), `evidence/malformed` (`envelope/malformed`)
 */
export async function verifyEar(
  token: string,
  key: CryptoKey,
  options: { readonly now: Date; readonly algorithms: readonly string[] },
): Promise<Ear> {
  try {
    const { payload } = await jwtVerify(token, key, {
      currentDate: options.now,
      algorithms: [...options.algorithms],
    });
    return parseEar(payload);
  } catch (cause) {
    if (!(cause instanceof errors.JOSEError) && !(cause instanceof TypeError)) throw cause;
    throw new AttestError(
      "evidence/refused",
      "envelope/signature",
      `Cannot accept the attestation result: ${cause.message}`,
      { cause },
    );
  }
}

/**
 * Reads a claims set in either spelling. Proves nothing.
 * @throws AttestError `evidence/malformed`, reason `envelope/malformed`
 */
export function parseEar(claims: unknown): Ear {
  const top = table(claims, "the claims set");
  const profile = top["eat_profile"];
  const known: readonly unknown[] = [EAR_PROFILE, ...DEPLOYED_EAR_PROFILES];
  if (typeof profile !== "string" || !known.includes(profile))
    throw invalid(`profile '${String(profile).slice(0, 80)}'`, known.join(" or "));
  const { iat, eat_nonce: nonce } = top;
  if (typeof iat !== "number" || !(nonce === undefined || typeof nonce === "string"))
    throw invalid("no time or another nonce", "`iat` a number, `eat_nonce` text");
  const verifier = table(spelled(top, "verifier_id"), "verifier id");
  const submodules = Object.entries(table(top["submods"], "submods")).map(
    ([name, value]) => [name, readSubmodule(table(value, name))] as const,
  );
  if (submodules.length === 0) throw invalid("no submodule", "one at least");
  return {
    profile,
    issuedAt: iat,
    nonce,
    verifier: {
      developer: String(verifier["developer"] ?? ""),
      build: String(verifier["build"] ?? ""),
    },
    submodules: new Map(submodules),
  };
}

function readSubmodule(value: Readonly<Record<string, unknown>>): EarSubmodule {
  const vector: Record<string, number> = {};
  for (const [name, item] of Object.entries(
    table(spelled(value, "trustworthiness_vector") ?? {}, "vector"),
  )) {
    if (
      !(VECTOR as readonly string[]).includes(name) ||
      !Number.isInteger(item) ||
      Math.abs(item as number) > 128
    ) {
      throw invalid(`'${name.slice(0, 40)}' in the vector`, "an AR4SI claim from -128 to 127");
    }
    vector[name] = item as number;
  }
  const policy =
    spelled(value, "appraisal_policy_ids") ?? spelled(value, "appraisal_policy_id") ?? [];
  return {
    status: readTier(spelled(value, "status")),
    vector,
    policyIds: (Array.isArray(policy) ? policy : [policy]).map(String),
    attesterClaims: (spelled(value, "attester_claims") ?? null) as Json,
  };
}

function readTier(value: unknown): Tier {
  const tier = (Object.keys(TIERS) as Tier[]).find(
    (name) => name === value || TIERS[name] === value,
  );
  if (tier === undefined)
    throw invalid(`status '${String(value).slice(0, 40)}'`, Object.keys(TIERS).join(", "));
  return tier;
}

function trustVector(appraisal: Appraisal): TrustVector {
  const good = appraisal.anchor.origin === "vendor" ? TIERS.affirming : TIERS.warning;
  const vector: Partial<Record<(typeof VECTOR)[number], number>> = { hardware: good };
  for (const { code, ok } of appraisal.checks) {
    const aspect = ASPECT[code as PolicyReason];
    vector[aspect] = Math.max(vector[aspect] ?? good, ok ? good : TIERS.contraindicated);
  }
  return vector;
}

function overallTier(vector: TrustVector): Tier {
  const worst = Math.max(...Object.values(vector));
  return (Object.keys(TIERS) as Tier[]).find((name) => TIERS[name] === worst) ?? "contraindicated";
}

function spelled(value: Readonly<Record<string, unknown>>, name: string): unknown {
  return value[`ear_${name}`] ?? value[`ear.${name.replaceAll("_", "-")}`];
}

function table(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalid(`${what} of another type`, "an object");
  return value as Record<string, unknown>;
}

function invalid(found: string, wanted: string): AttestError {
  return envelopeError("the attestation result", found, wanted);
}
