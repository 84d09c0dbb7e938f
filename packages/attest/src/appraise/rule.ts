/** Rules: how a knob of a policy judges a claim. */
import type { PolicyReason } from "./reasons.ts";

/** What a rule found. */
export interface Finding {
  readonly wanted: string;
  readonly found: string;
  readonly ok: boolean;
}

export interface Rule<Claims, Section> {
  readonly code: PolicyReason;
  /** `undefined` when the policy does not ask. */
  readonly judge: (claims: Claims, section: Section) => Finding | undefined;
}

/** The value must be one of `accepted`; `any` accepts all; a policy that says nothing refuses. */
export function oneOfRequired(
  accepted: readonly string[] | "any" | undefined,
  found: string,
): Finding {
  if (accepted === undefined)
    return { wanted: "a value, or `any`, in the policy", found, ok: false };
  if (accepted === "any") return { wanted: "any", found, ok: true };
  return oneOf(accepted, found)!;
}

/** The value must be one of `accepted`, when the policy lists any. */
export function oneOf<T extends string | number>(
  accepted: readonly T[] | undefined,
  found: T | null,
): Finding | undefined {
  if (accepted === undefined) return undefined;
  return {
    wanted: accepted.join(" or "),
    found: found === null ? "none" : String(found),
    ok: found !== null && accepted.includes(found),
  };
}

/** Refused unless the policy allows it by name. */
export function forbiddenUnless(allowed: boolean | undefined, found: boolean): Finding {
  return {
    wanted: allowed === true ? "on or off" : "off",
    found: found ? "on" : "off",
    ok: allowed === true || !found,
  };
}

export function atLeast(
  floor: number | undefined,
  found: number | null | undefined,
): Finding | undefined {
  if (floor === undefined) return undefined;
  const ok = typeof found === "number" && found >= floor;
  return { wanted: `${floor} or more`, found: String(found ?? "none"), ok };
}

/** Every component that the policy names is at or above its floor; a component that the claim lacks fails. */
export function atLeastEach(
  floors: Readonly<Record<string, number | undefined>> | undefined,
  found: Readonly<Record<string, number | null>>,
  what: string,
): Finding | undefined {
  if (floors === undefined) return undefined;
  const names = Object.keys(floors).filter((name) => floors[name] !== undefined);
  const show = (values: Readonly<Record<string, number | null | undefined>>) =>
    names.map((name) => `${name} ${values[name] ?? "none"}`).join(", ");
  const ok = names.every((name) => (found[name] ?? -1) >= (floors[name] ?? 0));
  return { wanted: `${what} at least ${show(floors)}`, found: show(found), ok };
}

/** Every set bit of `wanted` is set. */
export function bitsSet(wanted: bigint | undefined, found: string | null): Finding | undefined {
  if (wanted === undefined) return undefined;
  const ok = found !== null && (BigInt(`0x${found}`) & wanted) === wanted;
  return {
    wanted: `all bits of 0x${wanted.toString(16)}`,
    found: found === null ? "none" : `0x${found}`,
    ok,
  };
}

/** Every feature named is on. */
export function allOn(
  names: readonly string[] | undefined,
  flags: Readonly<Record<string, boolean | number>>,
): Finding | undefined {
  if (names === undefined) return undefined;
  const off = names.filter((name) => flags[name] !== true);
  return {
    wanted: `${names.join(", ")} on`,
    found: off.length === 0 ? "all on" : `off: ${off.join(", ")}`,
    ok: off.length === 0,
  };
}
