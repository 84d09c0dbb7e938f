/** Reads as much of Markdown as the pages of this repository use. */

export interface CodeBlock {
  /** Word after the fence; empty when there is none. */
  readonly language: string;
  readonly text: string;
  /** Line of its fence, from 1. */
  readonly line: number;
}

export interface Page {
  /** Relative to the repository's root. */
  readonly path: string;
  readonly text: string;
}

/** Fenced code blocks, in order. A fence that is not closed goes on to the end, as in CommonMark. */
export function parseCodeBlocks(text: string): CodeBlock[] {
  return [...text.matchAll(/^```(.*)\n([\s\S]*?)(?:^```\s*$|$(?![\s\S]))/gm)].map((match) => ({
    language: match[1]!.trim(),
    text: match[2]!,
    line: text.slice(0, match.index).split("\n").length,
  }));
}

/** The text with its code blocks left out; line numbers stay. */
export function withoutBlocks(text: string): string {
  return text.replace(/^```[\s\S]*?(?:^```\s*$|$(?![\s\S]))/gm, (block) =>
    block.replace(/[^\n]/g, ""),
  );
}

/** Commands of a `sh` block: one a line, without comments. */
export function parseCommands(block: CodeBlock): string[] {
  return block.text
    .replace(/\\\n\s*/g, "")
    .split("\n")
    .map((line) => line.replace(/(?:^|\s)#\s.*$/, "").trim())
    .filter((line) => line !== "");
}

/** Commands of a `console` block: lines behind a prompt, without comments. What was printed stands between them. */
export function parsePrompts(block: CodeBlock): string[] {
  return [...block.text.matchAll(/^\$ (.*?)(?:\s+# .*)?$/gm)].map((match) => match[1]!);
}

/** What stands in backquotes outside of blocks. */
export function parseInlineCode(text: string): string[] {
  return [...withoutBlocks(text).matchAll(/`([^`\n]+)`/g)].map((match) => match[1]!);
}

/** Targets of links and images outside of code. */
export function parseLinks(text: string): string[] {
  const prose = withoutBlocks(text).replace(/`[^`\n]*`/g, "code");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!);
}

/** Anchors of a page's headings, as GitHub makes them. */
export function parseAnchors(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, title] of withoutBlocks(text).matchAll(/^#{1,6} (.*)$/gm)) {
    const slug = title!
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replace(/\s/g, "-");
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** Cells of every row of every table, heads and rules left out. */
export function parseTableRows(text: string): string[][] {
  const lines = withoutBlocks(text).split("\n");
  const isRow = (line: string | undefined): boolean => line?.startsWith("|") ?? false;
  const isRule = (line: string | undefined): boolean => /^\|[\s:|-]+\|$/.test(line ?? "");
  return lines
    .filter((line, index) => isRow(line) && !isRule(line) && !isRule(lines[index + 1]))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}
