import { dirname } from "node:path";
import { parseTableRows } from "./markdown.ts";

/** One third-party package in one package.json. */
export interface PackageUse {
  readonly name: string;
  readonly version: string;
  /** Folder below `packages`, `workspace` for the root, else the folder itself. */
  readonly user: string;
}

const FIELDS = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];

/** Third-party packages that the package.json at `path` names. */
export function listPackages(
  path: string,
  manifest: Readonly<Record<string, Readonly<Record<string, string>> | undefined>>,
): PackageUse[] {
  const folder = dirname(path);
  const user = folder === "." ? "workspace" : folder.replace(/^packages\//, "");
  return FIELDS.flatMap((field) => Object.entries(manifest[field] ?? {}))
    .filter(([name]) => !name.startsWith("@donjon/"))
    .map(([name, version]) => ({ name, version, user }));
}

/** Compares the rows of docs/dependencies.md (packages, users, reason) with what is used. */
export function checkDependencies(page: string, used: readonly PackageUse[]): string[] {
  const problems: string[] = [];
  const says = ({ name, version, user }: PackageUse): string => `${name} ${version} in ${user}`;
  const listed = new Set<string>();
  for (const [packages = "", users = "", reason = ""] of parseTableRows(page)) {
    const named = [...packages.matchAll(/`([^`]+)` ([^\s,]+)/g)];
    if (named.length === 0) problems.push(`'${packages}' is no package with its version`);
    if (reason.length < 10) problems.push(`${packages} has no reason`);
    for (const [, name, version] of named) {
      for (const user of users.replaceAll("`", "").split(", "))
        listed.add(says({ name: name!, version: version!, user }));
    }
  }
  const wanted = new Set(used.map(says));
  for (const use of wanted) if (!listed.has(use)) problems.push(`${use} is not listed`);
  for (const use of listed) if (!wanted.has(use)) problems.push(`${use} is listed and not used`);
  return problems.map((problem) => `docs/dependencies.md: ${problem}`);
}
