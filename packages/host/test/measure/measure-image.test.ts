import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { encodeHex } from "@donjon/core/hex";
import { measureImage } from "../../src/measure/measure-image.ts";
import { encodeReferenceValues } from "../../src/measure/reference-values.ts";
import { measureSnp } from "../../src/measure/snp.ts";
import { buildFirmware, fill } from "./synthetic-firmware.ts";

const FIRMWARE = buildFirmware();
const KERNEL = fill(5000, 1);
const INITRD = fill(6000, 2);

function createImage(t: TestContext, name = "fw") {
  const folder = mkdtempSync(join(tmpdir(), "donjon-reference-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const save = (file: string, content: string | Uint8Array) => {
    writeFileSync(join(folder, file), content);
    return join(folder, file);
  };
  return {
    tee: "snp",
    image: {
      kernel: save("kernel", KERNEL),
      initrdCompressed: save("initrd", INITRD),
      cmdline: save("cmdline", "quiet panic=-1"),
      digest: "ab".repeat(32),
    },
    firmware: save(name, FIRMWARE),
    cpu: "EPYC-v4",
    vcpus: 2,
  } as const;
}

test("reference values are the launch digest of the image's files, and say what they were computed from", (t) => {
  const values = measureImage(createImage(t));
  const wanted = encodeHex(
    measureSnp({
      firmware: FIRMWARE,
      kernel: KERNEL,
      initrd: INITRD,
      append: "quiet panic=-1",
      cpu: "EPYC-v4",
      vcpus: 2,
    }),
  );
  assert.deepEqual(values.policy, { measurement: [wanted] });
  const toml = encodeReferenceValues(values);
  const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
  for (const text of [
    `\n[snp]\nmeasurement = ["${wanted}"]\n`,
    `# image     ${"ab".repeat(32)}\n`,
    `# firmware  sha256 ${sha256(FIRMWARE)} `,
    `# kernel    sha256 ${sha256(KERNEL)} `,
    `# initrd    sha256 ${sha256(INITRD)} `,
    '# cmdline   "quiet panic=-1"\n',
    "# machine   cpu EPYC-v4 (CPUID signature 0x800f12), vcpus 2\n",
  ])
    assert.ok(toml.includes(text), text);
});

test("a path cannot end the comment that names it", (t) => {
  const values = measureImage(createImage(t, "fw\n[sgx]"));
  const lines = encodeReferenceValues(values).split("\n");
  assert.deepEqual(lines.filter((line) => line !== "" && !line.startsWith("#")).length, 2);
});

test("files that are missing or too large are refused before they are read", (t) => {
  const input = createImage(t);
  for (const firmware of ["/nonexistent", tmpdir()])
    assert.throws(() => measureImage({ ...input, firmware }), { code: "files/read" });
  truncateSync(input.firmware, 2 ** 34);
  assert.throws(() => measureImage(input), { code: "files/limit" });
});
