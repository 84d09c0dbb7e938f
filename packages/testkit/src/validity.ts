/** Dates of everything made up here, unless a test says otherwise. */
const FROM = new Date("2025-01-01T00:00:00Z");
const UNTIL = new Date("2035-01-01T00:00:00Z");

export const FAKE_VALIDITY = { notBefore: FROM, notAfter: UNTIL } as const;
export const FAKE_UPDATES = { thisUpdate: FROM, nextUpdate: UNTIL } as const;
/** A moment at which everything made up here without other dates is valid. */
export const FAKE_NOW: Date = new Date("2026-06-01T00:00:00Z");

type DateName = keyof typeof FAKE_VALIDITY | keyof typeof FAKE_UPDATES;

/** Options whose dates have defaults. */
export type OptionalDates<Options> = Omit<Options, DateName> & {
  readonly [Name in DateName & keyof Options]?: Options[Name];
};
