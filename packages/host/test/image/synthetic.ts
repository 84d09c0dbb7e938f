/** Small inputs of the right form, so that images are built without a network and in no time. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { type ImageLock, LOCK_FORMAT, type LockedPackage } from "../../src/image/lock.ts";

export const sha256 = (bytes: Uint8Array | string): string =>
  createHash("sha256").update(bytes).digest("hex");

/** A 64-bit ELF file with one segment, then `symbols` that nothing loads. */
export function createElf(segment: Uint8Array, symbols: Uint8Array): Buffer {
  const elf = Buffer.alloc(64 + 56);
  elf.write("\x7fELF", "latin1");
  elf.set([2, 1, 1], 4);
  elf.writeBigUInt64LE(64n, 32);
  elf.writeBigUInt64LE(BigInt(elf.length + segment.length), 40);
  elf.writeUInt16LE(64, 52);
  elf.writeUInt16LE(56, 54);
  elf.writeUInt16LE(1, 56);
  elf.set([64, 0, 3, 0, 2, 0], 58);
  elf.writeUInt32LE(1, 64);
  elf.writeBigUInt64LE(BigInt(elf.length), 64 + 8);
  elf.writeBigUInt64LE(BigInt(segment.length), 64 + 32);
  return Buffer.concat([elf, segment, symbols]);
}

/** A bzImage with two sectors of set-up, whose payload is `vmlinux` as a zstd frame and its size. */
export function createBzImage(vmlinux: Uint8Array, compressed = zstdCompressSync(vmlinux)): Buffer {
  const setup = Buffer.alloc(3 * 512);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(vmlinux.length);
  setup[0x1f1] = 2;
  setup.write("HdrS", 0x202, "latin1");
  setup.writeUInt32LE(16, 0x248);
  setup.writeUInt32LE(compressed.length + size.length, 0x24c);
  return Buffer.concat([setup, Buffer.alloc(16), compressed, size, Buffer.alloc(100)]);
}

export interface SyntheticInputs {
  readonly engine: string;
  readonly runtime: string;
  readonly kernel: string;
  readonly library: string;
}

/** Engine, runtime and two packages in `directory`, and the lock that names them. Needs `dpkg-deb`. */
export function createInputs(directory: string, texts: SyntheticInputs) {
  mkdirSync(directory, { recursive: true });
  const engine = join(directory, "node");
  const runtime = join(directory, "keep.cjs");
  writeFileSync(engine, createElf(Buffer.from(texts.engine), Buffer.from("symbols")));
  writeFileSync(runtime, texts.runtime);
  const vmlinux = createElf(Buffer.from(texts.kernel), Buffer.alloc(0));
  const modules = ["configfs", "tsm", "sev-guest", "tdx-guest"];
  const packages = [
    createPackage(directory, "libsynthetic", {
      "lib/libc.so.6": ["tree/lib/libc.so.6", Buffer.from(texts.library)],
      "lib/ld.so": ["tree/lib64/ld-linux-x86-64.so.2", Buffer.from("loader")],
    }),
    createPackage(directory, "linux-synthetic", {
      "boot/vmlinuz": ["kernel", createBzImage(vmlinux)],
      ...Object.fromEntries(
        modules.map((name) => [`lib/${name}.ko.xz`, [`modules/${name}.ko.xz`, Buffer.from(name)]]),
      ),
    }),
  ];
  const lock: ImageLock = {
    format: LOCK_FORMAT,
    engine: { package: "node", version: "1.0.0", file: "bin/node", sha256: sha256File(engine) },
    suite: "bookworm",
    packages,
  };
  return { source: { engine, runtime }, lock, packages: directory };
}

function createPackage(
  directory: string,
  name: string,
  files: Readonly<Record<string, readonly [to: string, contents: Uint8Array]>>,
): LockedPackage {
  const root = mkdtempSync(join(directory, "package-"));
  mkdirSync(join(root, "DEBIAN"));
  const control = `Package: ${name}\nVersion: 1:1.0-1\nArchitecture: amd64\nMaintainer: nobody <nobody@example.org>\nDescription: synthetic\n`;
  writeFileSync(join(root, "DEBIAN/control"), control);
  for (const [path, [, contents]] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), contents);
  }
  const deb = join(directory, `${name}_1.0-1_amd64.deb`);
  execFileSync("dpkg-deb", ["--root-owner-group", "-Znone", "--build", root, deb], {
    stdio: "ignore",
  });
  rmSync(root, { recursive: true });
  const targets = Object.entries(files).map(([path, [to]]) => [path, to]);
  return {
    name,
    version: "1:1.0-1",
    architecture: "amd64",
    sha256: sha256File(deb),
    files: Object.fromEntries(targets),
  };
}

function sha256File(path: string): string {
  return sha256(process.getBuiltinModule("node:fs").readFileSync(path));
}
