/** `donjon image update`: moves the lock to the newest packages of the release, and to the engine that is installed. */
import { execFileSync } from "node:child_process";
import { readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { DonjonError } from "@donjon/core/errors";
import { openApt } from "./apt.ts";
import { GUEST_MODULES } from "./guest-init.ts";
import { hashFile } from "./hash-cache.ts";
import { type ImageLock, LOCK_FORMAT, type LockedPackage } from "./lock.ts";
import { LOADER_PATH } from "./tree.ts";

/** The release whose libraries the engine runs on, and whose archive has a kernel with configfs-tsm. */
const SUITE = "bookworm";
const ARCHITECTURE = "amd64";
const MULTIARCH = "x86_64-linux-gnu";
/** What the engine's dynamic section asks for, by the package that has it. */
const LIBRARIES: Readonly<Record<string, readonly (readonly [from: string, to: string])[]>> = {
  libc6: [
    [`lib/${MULTIARCH}/ld-linux-x86-64.so.2`, LOADER_PATH],
    ...["libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0"].map(
      (name) => [`lib/${MULTIARCH}/${name}`, `lib/${name}`] as const,
    ),
  ],
  "libgcc-s1": [[`lib/${MULTIARCH}/libgcc_s.so.1`, "lib/libgcc_s.so.1"]],
  "libstdc++6": [[`usr/lib/${MULTIARCH}/libstdc++.so.6`, "lib/libstdc++.so.6"]],
  libatomic1: [[`usr/lib/${MULTIARCH}/libatomic.so.1`, "lib/libatomic.so.1"]],
};
/** The long-term series that has configfs-tsm, sev-guest and tdx-guest. */
const KERNEL = /^linux-image-6\.12\.[0-9]+(?:\+deb[0-9.]+)?-cloud-amd64$/;
/** Where the kernel's package has the modules. */
const MODULE_FOLDERS: Readonly<Record<(typeof GUEST_MODULES)[number], string>> = {
  configfs: "fs/configfs",
  tsm: "drivers/virt/coco",
  "sev-guest": "drivers/virt/coco/sev-guest",
  "tdx-guest": "drivers/virt/coco/tdx-guest",
};

type Fields = Readonly<Record<string, string>>;

/** @param engine path of the installed engine. Throws `image/packages`. */
export async function createLock(engine: string): Promise<ImageLock> {
  const apt = openApt(SUITE);
  await apt.update();
  const libraries: LockedPackage[] = [];
  for (const [name, files] of Object.entries(LIBRARIES)) {
    const pattern = `^${name.replaceAll("+", "\\+")}$`;
    const found = newest(
      await apt.show(pattern),
      ({ Package, Version }) => Package === name && !isBackport(Version!),
    );
    const entries = files.map(([from, to]) => [from, `tree/${to}`] as const);
    libraries.push({ ...describe(found, name), files: Object.fromEntries(entries) });
  }
  const kernels = await apt.show("^linux-image-6\\.12\\..*-cloud-amd64$");
  const kernel = newest(kernels, ({ Package }) => KERNEL.test(Package ?? ""));
  return {
    format: LOCK_FORMAT,
    engine: describeEngine(engine),
    suite: SUITE,
    packages: [...libraries, describeKernel(kernel)],
  };
}

function describeKernel(fields: Fields): LockedPackage {
  const described = describe(fields, "linux-image-6.12");
  const release = described.name.replace("linux-image-", "");
  const modules = GUEST_MODULES.map((name) => [
    `lib/modules/${release}/kernel/${MODULE_FOLDERS[name]}/${name}.ko.xz`,
    `modules/${name}.ko.xz`,
  ]);
  const files = Object.fromEntries([[`boot/vmlinuz-${release}`, "kernel"], ...modules]);
  return { ...described, files };
}

function describeEngine(path: string): ImageLock["engine"] {
  const file = realpathSync(path);
  const root = dirname(dirname(file));
  const { name, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    name: string;
    version: string;
  };
  return { package: name, version, file: "bin/node", sha256: hashFile(file).sha256 };
}

function describe(fields: Fields, wanted: string): Omit<LockedPackage, "files"> {
  const { Package: name, Version: version, Architecture: architecture, SHA256: sha256 } = fields;
  if (name && version && architecture === ARCHITECTURE && sha256)
    return { name, version, architecture, sha256 };
  throw new DonjonError("image/packages", `the package list has no whole entry for '${wanted}'`);
}

function newest(stanzas: readonly Fields[], accepts: (fields: Fields) => boolean): Fields {
  return stanzas
    .filter(accepts)
    .reduce<Fields>((best, each) => (isNewer(each, best) ? each : best), {});
}

/** The engine asks for no newer library than the release has. */
function isBackport(version: string): boolean {
  return version.includes("~bpo");
}

/** Debian's order of versions is its package manager's to know. */
function isNewer(a: Fields, b: Fields): boolean {
  if (b["Version"] === undefined) return true;
  try {
    execFileSync("dpkg", ["--compare-versions", a["Version"] ?? "", "gt", b["Version"]]);
    return true;
  } catch {
    return false;
  }
}
