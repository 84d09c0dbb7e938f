/** `node:fs` and `node:path` for a page: files that the page fetched before it started the tests. */
const files = new Map<string, Uint8Array>();

/** `{path: base64}`. */
export function addFiles(encoded: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(encoded))
    files.set(
      path,
      Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)),
    );
}

export function existsSync(path: string): boolean {
  return files.has(path);
}

export function readFileSync(path: string, encoding?: "utf8"): Uint8Array | string {
  const bytes = files.get(path);
  if (bytes === undefined) throw new Error(`the page has no file '${path}'`);
  return encoding === undefined ? bytes.slice() : new TextDecoder().decode(bytes);
}

export function join(...parts: readonly string[]): string {
  const out: string[] = [];
  for (const part of parts.join("/").split("/")) {
    if (part === "..") out.pop();
    else if (part !== "" && part !== ".") out.push(part);
  }
  return `/${out.join("/")}`;
}
