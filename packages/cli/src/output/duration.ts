const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000],
] as const;

/** How long something has lasted, by its largest unit: `3 h`. A time that lies ahead has lasted 0 s. */
export function formatAge(ms: number): string {
  const unit = UNITS.find(([, size]) => ms >= size) ?? UNITS.at(-1)!;
  return `${Math.max(0, Math.floor(ms / unit[1]))} ${unit[0]}`;
}
