import { resolve } from "node:path";
import { buildImage } from "@donjon/host/image/build";
import { readLock } from "@donjon/host/image/lock";
import type { ImageRecord } from "@donjon/host/image/record";
import { storeImage } from "@donjon/host/image/store";
import type { BuildOptions } from "../command/image.ts";
import { EXIT } from "../output/exit-codes.ts";
import { writeLine } from "../output/failure.ts";
import { formatBytes } from "../output/progress.ts";
import { createStyle } from "../output/style.ts";
import { uptimeMs } from "../uptime.ts";
import { findLock, findSource } from "./places.ts";

/** Progress and summary on stderr; the digest, or the JSON, on stdout. */
export async function runImageBuild(options: BuildOptions): Promise<number> {
  const startMs = uptimeMs();
  const style = createStyle(process.stderr);
  const inputs = {
    source: findSource(),
    lock: readLock(options.lock ?? findLock()),
    ...(options.packages === undefined ? {} : { packages: options.packages }),
    onProgress: (what: string) => {
      if (!options.json) writeLine(style.dim(`  ${what}`));
    },
  };
  const { files, record, isNew } =
    options.output === undefined
      ? await storeImage(inputs)
      : { ...(await buildImage(inputs, resolve(options.output))), isNew: true };
  const ms = Math.round(uptimeMs() - startMs);
  if (options.json) {
    const { digest, tree, boot } = record;
    const json = { image: { digest, directory: files.directory, isNew, ms, tree, boot } };
    process.stdout.write(`${JSON.stringify(json)}\n`);
    return EXIT.ok;
  }
  for (const line of describe(record)) writeLine(line);
  const how = isNew ? `built in ${(ms / 1000).toFixed(1)} s` : "up to date";
  writeLine(`${style.dim("image".padEnd(LABEL))}${files.directory} (${how})`);
  process.stdout.write(`${record.digest}\n`);
  return EXIT.ok;
}

const LABEL = 22;

/** Sizes by part: what a process Keep has, then what a VM Keep is booted with. */
function describe({ tree, boot }: ImageRecord): string[] {
  const style = createStyle(process.stderr);
  const row = (name: string, text: string) => `${style.dim(name.padEnd(LABEL))}${text}`;
  const sizeOf = (accepts: (path: string) => boolean) =>
    tree.filter(({ path }) => accepts(path)).reduce((sum, { size }) => sum + size, 0);
  const part = (name: string) => boot.find((each) => each.name === name)?.size ?? 0;
  const travels = part("kernel") + part("initrd.cpio.zst");
  return [
    row("engine", formatBytes(sizeOf((path) => path === "keep/engine"))),
    row("runtime", formatBytes(sizeOf((path) => path === "keep/runtime.cjs"))),
    row("C libraries", formatBytes(sizeOf((path) => path.startsWith("lib")))),
    row("kernel", `${formatBytes(part("kernel"))}, ${formatBytes(part("vmlinux"))} unpacked`),
    row(
      "initrd",
      `${formatBytes(part("initrd.cpio.zst"))}, ${formatBytes(part("initrd.cpio"))} unpacked`,
    ),
    row("kernel and initrd", `${formatBytes(travels)} compressed`),
  ];
}
