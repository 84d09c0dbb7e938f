/**
 * The closed union of reason codes. Each TEE folder lists its own in `reasons.ts`, with what each
 * means; this file joins their types and carries no code, so that importing one TEE brings no other.
 */
import type { PolicyReason } from "./appraise/reasons.ts";
import type { IntelReason } from "./intel/reasons.ts";
import type { NitroReason } from "./nitro/reasons.ts";
import type { SnpReason } from "./snp/reasons.ts";
import type { TdxReason } from "./tdx/reasons.ts";

/** Reasons of envelopes, and of evidence whose kind cannot be told. */
export type EnvelopeReason =
  | "envelope/unknown"
  | "envelope/malformed"
  | "envelope/limit"
  | "envelope/missing"
  | "envelope/binding"
  | "envelope/signature"
  | "bundle/malformed"
  | "bundle/verdict";

/** Reasons of sessions with a Keep (packages/client). */
export type SessionReason = "session/binding" | "session/claimed" | "session/other";

export type ReasonCode =
  | SnpReason
  | IntelReason
  | TdxReason
  | NitroReason
  | EnvelopeReason
  | SessionReason
  | PolicyReason;
