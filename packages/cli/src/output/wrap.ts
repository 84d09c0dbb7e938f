/** Narrower than this nothing is gained by breaking lines. */
const MIN_WIDTH = 30;

/**
 * Lines of at most `width` characters, broken after `separator` where that can be.
 * @param width `undefined`: one line, however long; for what is no terminal
 */
export function wrapText(text: string, width: number | undefined, separator = " "): string[] {
  if (width === undefined || width < MIN_WIDTH) return [text];
  const lines: string[] = [];
  let line = "";
  for (const [i, part] of text.split(separator).entries()) {
    if (i === 0) line = part;
    else if (line.length + separator.length + part.length <= width) line += separator + part;
    else {
      lines.push(line + separator.trimEnd());
      line = part;
    }
  }
  return [...lines, line];
}
