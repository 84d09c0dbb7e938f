/** Directories for tests as plain objects: text is a file, `@x` a symlink to x, `*x` an executable file. */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { packTree } from "@donjon/wasi/files/pack";
import type { TreeEntry } from "@donjon/wasi/files/packed-tree";

export interface Listing {
  readonly [name: string]: string | Listing;
}

export function createDirectory(t: TestContext, listing: Listing): string {
  const root = mkdtempSync(join(tmpdir(), "donjon-trees-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  fillDirectory(root, listing);
  return root;
}

export function fillDirectory(root: string, listing: Listing): void {
  for (const [name, value] of Object.entries(listing)) {
    const path = join(root, name);
    if (typeof value === "object") {
      mkdirSync(path);
      fillDirectory(path, value);
    } else if (value.startsWith("@")) symlinkSync(value.slice(1), path);
    else {
      writeFileSync(path, value);
      if (value.startsWith("*")) chmodSync(path, 0o755);
    }
  }
}

/** What is there now, in the form that `createDirectory` takes. */
export function listDirectory(root: string): Listing {
  const names = readdirSync(root).sort();
  return Object.fromEntries(
    names.map((name) => {
      const path = join(root, name);
      const stat = lstatSync(path);
      if (stat.isDirectory()) return [name, listDirectory(path)];
      return [name, stat.isSymbolicLink() ? `@${readlinkSync(path)}` : readFileSync(path, "utf8")];
    }),
  );
}

export interface Change {
  readonly path: string;
  /** `null` removes, `"/"` makes a directory, otherwise as in a listing; `=x` is a hard link to x. */
  readonly to: string | null;
}

/** Changes as a Keep sends them. */
export function packChanges(changes: readonly Change[]): Uint8Array {
  const entries = changes.map(({ path, to }): TreeEntry => {
    if (to === null) return { kind: "removed", path };
    if (to === "/") return { kind: "directory", path, modified: 0n };
    if (to.startsWith("@")) return { kind: "symlink", path, target: to.slice(1), modified: 0n };
    if (to.startsWith("=")) return { kind: "link", path, to: to.slice(1) };
    const size = Buffer.byteLength(to);
    return { kind: "file", path, size, executable: to.startsWith("*"), modified: 0n };
  });
  const contents = new Map(changes.map(({ path, to }) => [path, Buffer.from(to ?? "")]));
  return packTree(entries, { times: false, changes: true }, ({ path }) => [contents.get(path)!]);
}
