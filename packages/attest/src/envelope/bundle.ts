/**
 * A proof bundle: one JSON file with evidence, endorsements, collateral, policy and time, so that anyone can ask the
 * same questions again later, offline, and get the same verdict. `docs/formats/proof-bundle.md` has the form.
 */
import { decodeBase64, encodeBase64 } from "@donjon/core/base64";
import { equalBytes } from "@donjon/core/bytes";
import { DonjonError } from "@donjon/core/errors";
import { encodeHex } from "@donjon/core/hex";
import { type Appraisal, appraise } from "../appraise/appraise.ts";
import { type Policy, parsePolicy } from "../appraise/policy.ts";
import { AttestError } from "../attest-error.ts";
import type { IntelCollateral } from "../intel/collateral.ts";
import { plainClaims } from "../plain.ts";
import { reportDataOf } from "../report-data.ts";
import {
  type EvidenceOptions,
  type EvidenceSet,
  type Relaxation,
  verifyEvidence,
} from "../verify.ts";
import { MAX_ENVELOPE_BYTES } from "./envelope-error.ts";

export const BUNDLE_FORMAT = "donjon/proof/1";

export interface Bundle {
  readonly set: EvidenceSet;
  readonly policy: Policy;
  /** The moment that it was verified for. */
  readonly at: Date;
  /** Relaxations it was verified with; who verifies again must allow them too. */
  readonly allow: readonly Relaxation[];
  /** The verdict then; never taken on trust. */
  readonly verdict: Appraisal["verdict"];
  /** What the evidence speaks for, where that is known: its SHA-512 is the report data. */
  readonly preimage?: Uint8Array;
}

const KINDS = ["snp", "tdx", "sgx", "nitro"] as const;
const KEYS = [
  "format",
  "kind",
  "evidence",
  "certificates",
  "crls",
  "collateral",
  "policy",
  "at",
  "allow",
  "verdict",
  "preimage",
];
const MAX_ITEMS = 32;

/** Verifies, appraises, and puts everything that decided into a bundle. */
export async function makeBundle(
  set: EvidenceSet,
  policy: Policy,
  options: EvidenceOptions,
): Promise<Bundle> {
  const { verdict } = appraise(await verifyEvidence(set, options), policy);
  return { set, policy: parsePolicy(policy), at: options.now, allow: options.allow ?? [], verdict };
}

/** What re-verifying takes from who does it; nothing here comes from the bundle. */
export type BundleOptions = Omit<EvidenceOptions, "now">;

/**
 * Asks every question again. Relaxations count only when both the bundle and the caller name them.
 * @returns the appraisal by the bundle's policy at the bundle's time; whether that policy is good enough is for the
 *   reader to say
 * @throws AttestError as `verifyEvidence`; `bundle/verdict` when the verdict is not the one that the bundle states
 */
export async function verifyBundle(
  bundle: Bundle,
  options: BundleOptions = {},
): Promise<Appraisal> {
  const allow = (options.allow ?? []).filter((name) => bundle.allow.includes(name));
  const verified = await verifyEvidence(bundle.set, { ...options, allow, now: bundle.at });
  const appraisal = appraise(verified, bundle.policy);
  await verifyPreimage(bundle, reportDataOf(appraisal.claims) ?? new Uint8Array());
  if (appraisal.verdict === bundle.verdict) return appraisal;
  throw new AttestError(
    "evidence/refused",
    "bundle/verdict",
    `Cannot accept the proof bundle: found verdict '${bundle.verdict}' in it, wanted '${appraisal.verdict}', which its own evidence and policy give`,
    { checks: appraisal.checks },
  );
}

/**
 * That the evidence speaks for the bundle's preimage, when it has one.
 * @param reportData from verified claims
 * @throws AttestError `evidence/refused`, reason `envelope/binding`
 */
export async function verifyPreimage(
  { preimage }: Pick<Bundle, "preimage">,
  reportData: Uint8Array,
): Promise<void> {
  if (preimage === undefined) return;
  const wanted = new Uint8Array(await crypto.subtle.digest("SHA-512", new Uint8Array(preimage)));
  if (equalBytes(wanted, reportData)) return;
  throw new AttestError(
    "evidence/refused",
    "envelope/binding",
    `Cannot accept the proof bundle: found report data ${encodeHex(reportData)}, wanted ${encodeHex(wanted)}, the SHA-512 of its preimage`,
  );
}

export function encodeBundle(bundle: Bundle): string {
  const { kind, evidence, certificates = [], crls = [], collateral } = bundle.set;
  const json = {
    format: BUNDLE_FORMAT,
    kind,
    evidence: encodeBase64(evidence),
    certificates: certificates.map(encodeBase64),
    crls: crls.map(encodeBase64),
    collateral: collateral === undefined ? null : encodeCollateral(collateral),
    policy: plainClaims(bundle.policy),
    at: bundle.at.toISOString(),
    allow: bundle.allow,
    verdict: bundle.verdict,
    ...(bundle.preimage === undefined ? {} : { preimage: encodeBase64(bundle.preimage) }),
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}

/**
 * Reads a bundle. Proves nothing.
 * @throws AttestError `evidence/malformed`, reason `bundle/malformed`
 */
export function parseBundle(text: string): Bundle {
  if (text.length > 2 * MAX_ENVELOPE_BYTES)
    throw malformed(`${text.length} characters`, `at most ${2 * MAX_ENVELOPE_BYTES}`);
  try {
    return readBundle(readObject(JSON.parse(text), "the bundle", KEYS));
  } catch (cause) {
    if (cause instanceof AttestError) throw cause;
    if (!(cause instanceof DonjonError) && !(cause instanceof SyntaxError)) throw cause;
    throw malformed(cause.message, "a proof bundle", cause);
  }
}

function readBundle(json: Readonly<Record<string, unknown>>): Bundle {
  const { format, kind, verdict, at, allow } = json;
  if (format !== BUNDLE_FORMAT)
    throw malformed(`format '${String(format).slice(0, 40)}'`, `'${BUNDLE_FORMAT}'`);
  const known = KINDS.find((name) => name === kind);
  const time =
    typeof at === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(at)
      ? new Date(at)
      : undefined;
  if (known === undefined || time === undefined || Number.isNaN(time.getTime()))
    throw malformed("another kind or time", `${KINDS.join(", ")}; RFC 3339 in UTC`);
  if (verdict !== "accepted" && verdict !== "refused")
    throw malformed("another verdict", "accepted or refused");
  if (
    !Array.isArray(allow) ||
    allow.length > MAX_ITEMS ||
    !allow.every((name) => typeof name === "string")
  )
    throw malformed("another `allow`", "a list of names");
  const collateral = json["collateral"] === null ? undefined : readCollateral(json["collateral"]);
  const preimage = json["preimage"];
  return {
    set: {
      kind: known,
      evidence: readBytes(json["evidence"], "evidence"),
      certificates: readByteList(json["certificates"], "certificates"),
      crls: readByteList(json["crls"], "crls"),
      ...(collateral && { collateral }),
    },
    policy: parsePolicy(json["policy"]),
    at: time,
    allow: allow as readonly Relaxation[],
    verdict,
    ...(preimage === undefined ? {} : { preimage: readBytes(preimage, "preimage") }),
  };
}

function encodeCollateral(collateral: IntelCollateral): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(collateral)) {
    if (value === undefined) continue;
    if (value instanceof Uint8Array) out[name] = encodeBase64(value);
    else if (Array.isArray(value)) out[name] = value.map((item: Uint8Array) => encodeBase64(item));
    else out[name] = { text: value.text, signature: encodeBase64(value.signature) };
  }
  return out;
}

const COLLATERAL = {
  rootCrl: readBytes,
  pckCrl: readBytes,
  tcbInfo: readSigned,
  tcbInfoIssuerChain: readByteList,
  qeIdentity: readSigned,
  qeIdentityIssuerChain: readByteList,
  pckChain: readByteList,
} as const;

function readCollateral(value: unknown): IntelCollateral {
  const json = readObject(value, "collateral", Object.keys(COLLATERAL));
  return Object.fromEntries(
    Object.entries(json).map(([name, item]) => [
      name,
      COLLATERAL[name as keyof typeof COLLATERAL](item, name),
    ]),
  );
}

function readSigned(
  value: unknown,
  name: string,
): { readonly text: string; readonly signature: Uint8Array } {
  const { text, signature } = readObject(value, name, ["text", "signature"]);
  if (typeof text !== "string") throw malformed(`no text in ${name}`, "text");
  return { text, signature: readBytes(signature, name) };
}

function readByteList(value: unknown, name: string): readonly Uint8Array[] {
  if (!Array.isArray(value) || value.length > MAX_ITEMS)
    throw malformed(`another ${name}`, `a list of at most ${MAX_ITEMS}`);
  return value.map((item) => readBytes(item, name));
}

function readBytes(value: unknown, name: string): Uint8Array {
  if (typeof value !== "string") throw malformed(`no ${name}`, "base64");
  return decodeBase64(value);
}

function readObject(
  value: unknown,
  name: string,
  keys: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw malformed(`${name} of another type`, "an object");
  const other = Object.keys(value).find((key) => !keys.includes(key));
  if (other !== undefined)
    throw malformed(`unknown key '${other.slice(0, 40)}' in ${name}`, keys.join(", "));
  return value as Record<string, unknown>;
}

function malformed(found: string, wanted: string, cause?: unknown): AttestError {
  return new AttestError(
    "evidence/malformed",
    "bundle/malformed",
    `Cannot read the proof bundle: found ${found}, wanted ${wanted}`,
    { cause },
  );
}
