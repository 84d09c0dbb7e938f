import { dirname, join, normalize } from "node:path";
import { type Page, parseAnchors, parseInlineCode, parseLinks } from "./markdown.ts";

/** Links that lead to no file, folder or head of the repository. */
export function checkLinks(pages: readonly Page[], files: readonly string[]): string[] {
  const known = new Set(files);
  for (const file of files)
    for (let folder = dirname(file); folder !== "."; folder = dirname(folder)) known.add(folder);
  const anchors = new Map(pages.map(({ path, text }) => [path, parseAnchors(text)]));
  const problems: string[] = [];
  for (const { path, text } of pages) {
    for (const link of parseLinks(text)) {
      if (/^[a-z]+:/i.test(link)) continue;
      const [file = "", anchor] = decodeURI(link).split("#");
      const target = file === "" ? path : normalize(join(dirname(path), file)).replace(/\/$/, "");
      if (!known.has(target)) problems.push(`${path}: '${link}' leads nowhere`);
      else if (anchor !== undefined && !anchors.get(target)?.has(anchor))
        problems.push(`${path}: '${link}' names a head that is not there`);
    }
  }
  return problems;
}

/** Hosts that a page may name in an address. */
const HOSTS =
  /^(?:127\.0\.0\.1|localhost|\[::1\]|www\.rfc-editor\.org|github\.com|(?:[a-z0-9-]+\.)*example)$/;
/** A registry or a mirror of one, by the first label of its name. */
const REGISTRY =
  /\b(?:registry|registries|mirror|mirrors|proxy|index|artifactory|nexus)\.[a-z0-9-]+\.[a-z]+/i;
/** Paths that only one machine has. */
const MACHINE_PATH = /(?<![\w.])\/(?:home|root|Users|work|mnt|opt)\/\S*/;

/** Addresses and paths that belong to one machine or to a registry. */
export function checkPlaces(pages: readonly Page[]): string[] {
  const problems: string[] = [];
  for (const { path, text } of pages) {
    for (const [, host] of text.matchAll(/\bhttps?:\/\/(\[[^\]]*\]|[^\s/:)`'"<>]*)/g))
      if (!HOSTS.test(host!))
        problems.push(`${path}: the host '${host}' is not one of those allowed`);
    for (const pattern of [REGISTRY, MACHINE_PATH]) {
      const found = pattern.exec(text)?.[0];
      if (found !== undefined) problems.push(`${path}: '${found}' is a place of one machine`);
    }
  }
  return problems;
}

/**
 * Sources that a page names by package and path, such as `host/backend`, and that are not there.
 * @param packages names of the packages
 */
export function checkSources(
  { path, text }: Page,
  packages: readonly string[],
  files: readonly string[],
): string[] {
  return parseInlineCode(text)
    .filter(
      (code) => /^[a-z]+(?:\/[a-z0-9-]+)+$/.test(code) && packages.includes(code.split("/")[0]!),
    )
    .filter((code) => {
      const source = code.replace("/", "/src/");
      const [folder, file] = [`packages/${source}/`, `packages/${source}.ts`];
      return !files.some((name) => name === file || name.startsWith(folder));
    })
    .map((code) => `${path}: there are no sources '${code}'`);
}
