/** What a backend with hardware must do on a machine that has none. */
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Backend } from "../../src/backend/backend.ts";
import type { HardwareImage, HardwareOptions, HardwareTee } from "../../src/backend/hardware.ts";

export function testHardwareBackend(
  tee: HardwareTee,
  create: (image: HardwareImage, options: HardwareOptions) => Backend,
): void {
  const name = `a Keep under ${tee.toUpperCase()} protects, ends by itself where QEMU cannot start it, and simulates no measurement`;
  test(name, async (t) => {
    const cmdline = join(tmpdir(), `donjon-${tee}-${process.pid}`);
    writeFileSync(cmdline, "quiet");
    t.after(() => rmSync(cmdline));
    const image = {
      kernel: "/n/kernel",
      initrdCompressed: "/n/initrd",
      cmdline,
      digest: "ab".repeat(32),
    };
    const backend = create(image, { qemu: "/nonexistent/qemu", firmware: "/nonexistent/fd" });
    assert.deepEqual([backend.name, backend.protects], [tee, true]);
    const keep = backend.start({ onConsole: () => {} });
    assert.notDeepEqual(await keep.ended, { kind: "exited", code: 0 });
    assert.match(keep.sandbox, /not yet run on hardware/);
    await assert.rejects(keep.measure(), { code: "measure/unsupported" });
  });
}
