import { posix } from "node:path";
import type { Page } from "./markdown.ts";

/** A list item that names a test: a link to its file, and the name or its beginning. */
const NAMED_TEST = /^- \[[^\]]+\]\(([^)]+\.test\.ts)\): \*(.+)\*$/gm;

/** Tests that a page names and that are not in the file that it links to, and files of `folders` that `page` never names. */
export function checkNamedTests(
  { path, text }: Page,
  files: readonly string[],
  folders: readonly string[],
  read: (path: string) => string,
): string[] {
  const problems: string[] = [];
  const named = new Set<string>();
  for (const [, link, name] of text.matchAll(NAMED_TEST)) {
    const file = posix.join(posix.dirname(path), link!);
    named.add(file);
    if (!files.includes(file)) continue; // a link that leads nowhere is told elsewhere
    if (!startsString(read(file), name!)) problems.push(`${path}: ${file} has no test '${name}'`);
  }
  for (const file of files) {
    const wanted = file.endsWith(".test.ts") && folders.some((folder) => file.startsWith(folder));
    if (wanted && !named.has(file)) problems.push(`${path}: no promise names ${file}`);
  }
  return problems;
}

/** Names may begin with a parameter, or end with one. */
function startsString(source: string, name: string): boolean {
  return ['"', "`", "} "].some((before) => source.includes(before + name));
}
