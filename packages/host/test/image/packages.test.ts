/** How packages are fetched, with a package client that this test writes. */
import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, beforeEach, describe, test } from "node:test";
import type { ImageLock } from "../../src/image/lock.ts";
import { fetchPackages } from "../../src/image/packages.ts";
import { sha256 } from "./synthetic.ts";

const folder = mkdtempSync(join(tmpdir(), "donjon-packages-"));
const { PATH, XDG_CACHE_HOME } = process.env;
after(() => {
  process.env["PATH"] = PATH;
  if (XDG_CACHE_HOME === undefined) delete process.env["XDG_CACHE_HOME"];
  else process.env["XDG_CACHE_HOME"] = XDG_CACHE_HOME;
  rmSync(folder, { recursive: true });
});

const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
const isDebian = /^ID=debian$/m.test(release);
const lock: ImageLock = {
  format: "donjon/image-lock/1",
  engine: { package: "node", version: "1", file: "bin/node", sha256: "0".repeat(64) },
  suite: "bookworm",
  packages: [
    {
      name: "libc6",
      version: "1:2.36-9",
      architecture: "amd64",
      sha256: sha256("package"),
      files: { a: "tree/lib/a" },
    },
  ],
};
let log = "";
let count = 0;

function writeClient(onDownload: string): void {
  const bin = join(folder, `bin-${count}`);
  mkdirSync(bin);
  const script = `#!/bin/sh
echo "$@" >>'${log}'
case "$*" in
  *" update") exit 0 ;;
  *" download libc6=1:2.36-9") ${onDownload} ;;
  *) exit 9 ;;
esac
`;
  writeFileSync(join(bin, "apt-get"), script);
  chmodSync(join(bin, "apt-get"), 0o755);
  process.env["PATH"] = `${bin}${delimiter}${PATH}`;
}

describe("a locked package", { skip: !isDebian && "the machine's sources are no Debian's" }, () => {
  beforeEach(() => {
    count += 1;
    log = join(folder, `log-${count}`);
    process.env["XDG_CACHE_HOME"] = join(folder, `cache-${count}`);
  });

  test("comes through the package client with lists of our own, and is asked for once", async () => {
    writeClient("printf package >libc6_1%3a2.36-9_amd64.deb");
    const told: string[] = [];
    const onProgress = (what: string) => void told.push(what);
    const [path] = await fetchPackages(lock, { onProgress });
    assert.equal(readFileSync(path!, "utf8"), "package");
    assert.deepEqual(told, ["lists of packages", "package 1 of 1: libc6 1:2.36-9"]);
    const calls = readFileSync(log, "utf8").trim().split("\n");
    assert.equal(calls.length, 2);
    const cache = process.env["XDG_CACHE_HOME"]!;
    for (const call of calls) {
      for (const option of ["Dir::Etc::SourceList", "Dir::State::Lists", "Dir::Cache"])
        assert.ok(call.includes(`-o ${option}=${cache}/`), `${option} in ${call}`);
      assert.ok(call.includes("-o Dir::Etc::SourceParts=/dev/null"));
    }
    assert.deepEqual(await fetchPackages(lock, {}), [path]);
    assert.equal(readFileSync(log, "utf8").trim().split("\n").length, 2);
  });

  test("with other bytes is refused, not kept, and named", async () => {
    writeClient("printf forgery >libc6_1%3a2.36-9_amd64.deb");
    await assert.rejects(fetchPackages(lock, {}), { code: "image/changed", message: /libc6/ });
    const cache = join(process.env["XDG_CACHE_HOME"]!, "donjon/packages/bookworm/debs");
    assert.deepEqual(readdirSync(cache), []);
  });

  test("that is gone is an error that says what to do, and a client that fails is quoted", async () => {
    writeClient("echo 'E: no such version' >&2; exit 100");
    await assert.rejects(fetchPackages(lock, {}), (error: Error & { code: string }) => {
      assert.equal(error.code, "image/packages");
      assert.match(error.message, /libc6 1:2\.36-9 .*no such version.*donjon image update/);
      return true;
    });
  });
});

test("a package from a folder is taken from there, and a missing one is named", async () => {
  const given = join(folder, "given");
  mkdirSync(given);
  await assert.rejects(fetchPackages(lock, { packages: given }), {
    code: "image/packages",
    message: /libc6_2\.36-9_amd64\.deb/,
  });
  writeFileSync(join(given, "libc6_2.36-9_amd64.deb"), "package");
  const found = await fetchPackages(lock, { packages: given });
  assert.deepEqual(found, [join(given, "libc6_2.36-9_amd64.deb")]);
});
