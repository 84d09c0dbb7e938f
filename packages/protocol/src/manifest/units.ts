/** Sizes and durations as people write them: `"512 MiB"`, `"1.5 GB"`, `"30 s"`. */

const SIZE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
};

/** Also published in the JSON Schema. */
export const SIZE_PATTERN = /^\d{1,15}(\.\d{1,6})? ?(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)$/;
export const DURATION_PATTERN = /^\d{1,15}(\.\d{1,6})? ?(ms|s|min|h)$/;

export const SIZE_WANTED = 'a size such as "512 MiB" (units B, kB, MB, GB, TB, KiB, MiB, GiB, TiB)';
export const DURATION_WANTED = 'a duration such as "30 s" (units ms, s, min, h)';

/** Whole bytes, or `null` when `text` is not a size. Fractions of a byte are rounded up. */
export function parseSize(text: string): number | null {
  return parseAmount(text, SIZE_PATTERN, SIZE_UNITS);
}

/** Whole milliseconds, or `null` when `text` is not a duration. Fractions are rounded up. */
export function parseDuration(text: string): number | null {
  return parseAmount(text, DURATION_PATTERN, DURATION_UNITS);
}

/** The shortest exact text: the largest binary unit that divides `bytes`. */
export function formatSize(bytes: number): string {
  for (const unit of ["TiB", "GiB", "MiB", "KiB"]) {
    const factor = SIZE_UNITS[unit]!;
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor} ${unit}`;
  }
  return `${bytes} B`;
}

/** The shortest exact text: the largest unit that divides `ms`. */
export function formatDuration(ms: number): string {
  for (const unit of ["h", "min", "s"]) {
    const factor = DURATION_UNITS[unit]!;
    if (ms >= factor && ms % factor === 0) return `${ms / factor} ${unit}`;
  }
  return `${ms} ms`;
}

function parseAmount(
  text: string,
  pattern: RegExp,
  units: Readonly<Record<string, number>>,
): number | null {
  const unit = pattern.exec(text)?.at(-1);
  if (unit === undefined) return null;
  const amount = Math.ceil(Number.parseFloat(text) * units[unit]!);
  return Number.isSafeInteger(amount) ? amount : null;
}
