/** From the evidence that a Keep sends to a statement that may be relied on (docs/formats/binding.md). */
import { createHash } from "node:crypto";
import type { Appraisal } from "@donjon/attest/appraise";
import { type Cmw, parseCmwCbor } from "@donjon/attest/envelope";
import { AttestError } from "@donjon/attest/errors";
import type { ReasonCode } from "@donjon/attest/reason";
import type { EvidenceSet } from "@donjon/attest/verify";
import { equalBytes } from "@donjon/core/bytes";
import { DonjonError } from "@donjon/core/errors";
import { encodeHex } from "@donjon/core/hex";
import { type Binding, encodeBinding, parseBinding } from "@donjon/protocol/attestation/binding";
import {
  CMW_MEMBERS,
  EVIDENCE_TYPES,
  type EvidenceTee,
  encodeEvidence,
  type PlatformEvidence,
} from "@donjon/protocol/attestation/evidence";
import { MAX_EVIDENCE_BYTES } from "@donjon/protocol/limits";

/** What a Keep has proved about itself, in one session, at one moment. Digests in lower-case hex. */
export interface KeepStatement {
  /** SHA-256 of the manifest; `null` before provisioning. */
  readonly manifest: string | null;
  /** SHA-256 of the workload; `null` before provisioning. */
  readonly workload: string | null;
  /** SHA-256 of the owner's public key; `null` before provisioning. */
  readonly owner: string | null;
  /** Always accepted. */
  readonly appraisal: Appraisal;
  /** To show or verify again. */
  readonly evidence: {
    /** As the Keep sent it. */
    readonly cmw: Uint8Array;
    /** The evidence with the endorsements that proved it. */
    readonly set: EvidenceSet;
    /** Its SHA-512 is the report data. */
    readonly binding: Uint8Array;
  };
}

/**
 * Proves evidence and appraises it, with `reportData` pinned.
 * Rejects with `AttestError` (`evidence/malformed`, `evidence/refused`) for evidence that is not accepted.
 */
export type Verifier = (
  evidence: PlatformEvidence,
  reportData: Uint8Array,
) => Promise<{ readonly appraisal: Appraisal; readonly set: EvidenceSet }>;

/** What the client knows of a binding before it sees one. */
export type ExpectedBinding = Pick<Binding, "nonce" | "exporter" | "key">;

/** Which Keep the client wants: one that nobody has provisioned, one that runs this (digests in hex), or any. */
export type ExpectedKeep =
  | "new"
  | "any"
  | Partial<Readonly<Record<"manifest" | "workload" | "owner", string>>>;

/**
 * Checks that evidence speaks for this very session, then has it verified.
 * @throws AttestError `evidence/malformed`, `evidence/refused`; DonjonError of the verifier
 */
export async function verifyStatement(
  cmw: Uint8Array,
  expected: ExpectedBinding,
  verify: Verifier,
): Promise<KeepStatement> {
  const { binding: bytes, platform } = readCmw(cmw);
  const binding = readBinding(bytes);
  const { manifest, workload, owner } = binding;
  if (!equalBytes(bytes, encodeBinding({ ...expected, manifest, workload, owner }))) {
    throw refused(
      "session/binding",
      "found evidence for another session, wanted evidence for this one: the host replays or relays it, or stands between",
    );
  }
  const { appraisal, set } = await verify(platform, createHash("sha512").update(bytes).digest());
  if (appraisal.verdict !== "accepted") throw new TypeError("the verifier returned a refusal");
  return {
    manifest: manifest && encodeHex(manifest),
    workload: workload && encodeHex(workload),
    owner: owner && encodeHex(owner),
    appraisal,
    evidence: { cmw, set, binding: bytes },
  };
}

/** @throws AttestError `evidence/refused`, reason `session/claimed` or `session/other` */
export function requireExpected(statement: KeepStatement, expected: ExpectedKeep): void {
  const { manifest, workload, owner } = statement;
  if (expected === "any") return;
  if (expected === "new") {
    if (manifest === null && workload === null && owner === null) return;
    throw refused(
      "session/claimed",
      `found a Keep with the manifest ${manifest ?? "none"} and the owner ${owner ?? "none"}, wanted a new one: somebody provisioned this Keep first; start another Keep`,
    );
  }
  for (const field of ["manifest", "workload", "owner"] as const) {
    const wanted = expected[field];
    if (wanted === undefined || wanted === statement[field]) continue;
    const found = statement[field] ?? "none";
    const hint =
      field === "owner"
        ? "open the session with the key that provisioned it"
        : "it runs something else; ask for what it runs, or deploy to another Keep";
    throw refused(
      "session/other",
      `found a Keep with the ${field} ${found}, wanted ${wanted}; ${hint}`,
    );
  }
}

/** Accepts exactly what `encodeEvidence` makes: nothing else may travel along. */
function readCmw(bytes: Uint8Array): { binding: Uint8Array; platform: PlatformEvidence } {
  if (bytes.length > MAX_EVIDENCE_BYTES) throw malformed(`${bytes.length} octets of evidence`);
  const cmw = parseCmwCbor(bytes);
  const [, binding] = readMember(cmw, CMW_MEMBERS.binding);
  const [type, evidence] = readMember(cmw, CMW_MEMBERS.evidence);
  const [, auxiliary] = readMember(cmw, CMW_MEMBERS.auxiliary);
  const tee = (Object.keys(EVIDENCE_TYPES) as EvidenceTee[]).find(
    (each) => EVIDENCE_TYPES[each] === type,
  );
  if (tee === undefined) throw malformed(`evidence of the type ${String(type).slice(0, 64)}`);
  const platform = { tee, evidence, auxiliary };
  if (!equalBytes(bytes, encodeEvidence(binding, platform))) {
    throw malformed("a collection with other members, or not in deterministic CBOR");
  }
  return { binding, platform };
}

function readMember(cmw: Cmw, label: string): [type: string | number, value: Uint8Array] {
  const member = cmw.kind === "collection" ? cmw.members.get(label) : undefined;
  return member?.kind === "record" ? [member.type, member.value] : ["none", new Uint8Array(0)];
}

function readBinding(bytes: Uint8Array): Binding {
  try {
    return parseBinding(bytes);
  } catch (cause) {
    if (!(cause instanceof DonjonError)) throw cause;
    throw new AttestError("evidence/malformed", "envelope/malformed", cause.message, { cause });
  }
}

function malformed(found: string): AttestError {
  return new AttestError(
    "evidence/malformed",
    "envelope/malformed",
    `Cannot read the Keep's evidence: found ${found}, wanted a CMW collection of binding and evidence`,
  );
}

function refused(reason: ReasonCode, why: string): AttestError {
  return new AttestError("evidence/refused", reason, `Cannot accept this Keep: ${why}`);
}
