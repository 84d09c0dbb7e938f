/** Middle value; the mean of the two middle ones when there is an even number. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("no values");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** A Markdown table; the first column is text, the others are numbers with the given digits. */
export function formatTable(
  columns: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  digits = 2,
): string {
  const cell = (value: string | number): string =>
    typeof value === "number" ? value.toFixed(value >= 100 ? 0 : digits) : value;
  const lines = [columns, columns.map((_, at) => (at === 0 ? "---" : "---:")), ...rows];
  return lines.map((line) => `| ${line.map(cell).join(" | ")} |`).join("\n");
}
