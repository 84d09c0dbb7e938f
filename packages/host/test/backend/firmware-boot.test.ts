/**
 * A built image boots through OVMF with the very words of an SNP guest's command line but those of the protection: bzImage,
 * small initrd, firmware, no ACPI in the kernel. Emulated; plain firmware, because builds that check kernel hashes start
 * nothing without SEV.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { BARE } from "@donjon/testkit/contract/carrier";
import { encodeHelloGuest } from "@donjon/testkit/contract/guests";
import { readAll, startCarriedRun, startKeep } from "@donjon/testkit/contract/keep-fixture";
import type { Backend } from "../../src/backend/backend.ts";
import { findConfinement } from "../../src/backend/qemu/confine.ts";
import { findQemu } from "../../src/backend/qemu/find.ts";
import { startQemu } from "../../src/backend/qemu/start.ts";
import { encodeSnpArguments } from "../../src/backend/snp.ts";
import { searchImage } from "../../src/image/find.ts";

const FIRMWARE = "/usr/share/ovmf/OVMF.fd";
const runtime = join(import.meta.dirname, "../../../keep/dist/keep.cjs");
const qemu = findQemu();
const found = existsSync(runtime)
  ? searchImage({ engine: process.execPath, runtime })
  : ({ image: null, why: "the runtime is not built" } as const);

function chooseSkip(): string | false {
  if (qemu === null) return "QEMU is not installed";
  if (!existsSync(FIRMWARE)) return `there is no ${FIRMWARE} (package ovmf)`;
  return found.image === null && `no image: ${found.why}`;
}

/** Values of words that stand for what is not here: KVM and a processor of its own. */
const EMULATED: Readonly<Record<string, string>> = {
  "-machine": "q35",
  "-accel": "tcg,thread=multi",
  "-cpu": "max",
};

/** Takes away what only SEV-SNP can do: the objects, and what the machine says of them. */
function withoutProtection(args: readonly string[]): string[] {
  return args
    .filter((word, at) => word !== "-object" && args[at - 1] !== "-object")
    .map((word, at, rest) => EMULATED[rest[at - 1] ?? ""] ?? word);
}

function createFirmwareBackend(image: NonNullable<typeof found.image>): Backend {
  return {
    name: "vm",
    protects: false,
    start({ onConsole }) {
      const args = encodeSnpArguments({
        qemu: qemu!,
        firmware: FIRMWARE,
        kernel: image.kernel,
        initrd: image.initrdCompressed,
        commandLine: readFileSync(image.cmdline, "utf8"),
        hostData: new Uint8Array(32),
      });
      const files = [image.kernel, image.initrdCompressed, FIRMWARE];
      const command = findConfinement().wrap([qemu!, ...withoutProtection(args)], files, []);
      return {
        ...startQemu(command, onConsole),
        sandbox: "none",
        image: image.digest,
        measure: () => Promise.reject(new Error("not measured")),
      };
    },
  };
}

const skip = chooseSkip();
if (skip) console.error(`SKIPPED THE BOOT THROUGH FIRMWARE: ${skip}`);

test("a Keep boots through firmware with an SNP guest's command line, and runs a program", {
  skip,
}, async () => {
  await using under = startKeep(createFirmwareBackend(found.image!), BARE);
  const { run } = await startCarriedRun(under, encodeHelloGuest("hello\n", 42));
  assert.equal((await readAll(run.stdout)).toString(), "hello\n");
  assert.deepEqual((await run.result).outcome, { kind: "exit", code: 42 });
  assert.deepEqual(await under.keep.ended, { kind: "exited", code: 0 });
});
