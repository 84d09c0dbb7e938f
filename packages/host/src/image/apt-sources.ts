/**
 * The machine's own sources of packages, with the release renamed: packages of a pinned release come from where this
 * machine gets its packages anyway, and no host name has to be known.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

interface Source {
  readonly uris: string;
  readonly suites: readonly string[];
  readonly components: string;
  readonly signedBy: string | null;
}

/** What the suffix of a suite says: the main archive has these, security updates have their own place. */
const MAIN_SUFFIXES = ["", "-updates", "-backports"];
const SECURITY_SUFFIX = "-security";

/**
 * deb822 text (sources.list(5)) with the suites of the release `wanted`, or only those with `suffixes`. Empty when no
 * source of the machine is for its own release `codename`.
 */
export function createSources(
  directory: string,
  codename: string,
  wanted: string,
  suffixes = [...MAIN_SUFFIXES, SECURITY_SUFFIX],
): string {
  const stanzas = readSources(directory).flatMap((source) => {
    const isMain = source.suites.includes(codename);
    const isSecurity = source.suites.includes(`${codename}${SECURITY_SUFFIX}`);
    const own = suffixes.filter((each) => (each === SECURITY_SUFFIX ? isSecurity : isMain));
    if (own.length === 0) return [];
    return [
      "Types: deb",
      `URIs: ${source.uris}`,
      `Suites: ${own.map((each) => `${wanted}${each}`).join(" ")}`,
      `Components: ${source.components}`,
      ...(source.signedBy === null ? [] : [`Signed-By: ${source.signedBy}`]),
      "",
    ];
  });
  return [...new Set(stanzas.join("\n").split(/\n(?=Types:)/))].join("\n");
}

/** @param directory `/etc/apt` */
function readSources(directory: string): Source[] {
  const parts = join(directory, "sources.list.d");
  const names = existsSync(parts) ? readdirSync(parts).sort() : [];
  const files = [join(directory, "sources.list"), ...names.map((name) => join(parts, name))];
  return files.filter(existsSync).flatMap((file) => {
    if (file.endsWith(".sources")) return parseStanzas(readFileSync(file, "utf8"));
    return file.endsWith(".list") ? parseLines(readFileSync(file, "utf8")) : [];
  });
}

function parseStanzas(text: string): Source[] {
  const bare = text.replace(/^#.*\n?/gm, "");
  return bare.split(/\n[ \t]*\n/).flatMap((stanza) => {
    const field = (name: string) =>
      new RegExp(`^${name}:((?:.*\\n?)(?:[ \\t].*\\n?)*)`, "im")
        .exec(`${stanza}\n`)?.[1]
        ?.trimEnd();
    const words = (name: string) => (field(name) ?? "").split(/\s+/).filter((word) => word !== "");
    if (!words("Types").includes("deb") || field("Enabled")?.trim().toLowerCase() === "no")
      return [];
    const components = words("Components").join(" ");
    // A key that stands in the file itself goes on over several lines, and so it does in the copy.
    const signedBy = field("Signed-By")?.replace(/^[ \t]+/, "") || null;
    return [{ uris: words("URIs").join(" "), suites: words("Suites"), components, signedBy }];
  });
}

function parseLines(text: string): Source[] {
  return text.split("\n").flatMap((line) => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]+)/.exec(line);
    if (match === null) return [];
    const [, options, uris, suite, components] = match;
    const signedBy = /signed-by=(\S+)/.exec(options ?? "")?.[1]?.replaceAll(",", " ") ?? null;
    return [{ uris: uris!, suites: [suite!], components: components!.trim(), signedBy }];
  });
}
