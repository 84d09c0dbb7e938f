/** Rows of text in columns, for people. */
import type { Style } from "./style.ts";

const GAP = "  ";

/** The first row is the head; the last column is not padded. */
export function formatTable(rows: readonly (readonly string[])[], style: Style): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  const lines = rows.map((row, index) => {
    const cells = row.map((cell, column) =>
      column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0),
    );
    const line = cells.join(GAP).trimEnd();
    return index === 0 ? style.dim(line) : line;
  });
  return `${lines.join("\n")}\n`;
}
