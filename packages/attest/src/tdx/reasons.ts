/** Why a TDX quote is refused beyond `intel/reasons.ts`; also the codes of the checks, in the order they are made. */
export const TDX_REASONS = {
  "tdx/module-unknown": "the TCB info has no identity for the version of the TDX module that runs",
  "tdx/module-mismatch": "MRSIGNERSEAM or SEAMATTRIBUTES are not those of Intel's TDX module",
} as const;

export type TdxReason = keyof typeof TDX_REASONS;
