/** What the tests of the backends `snp` and `tdx` hold a command line against: the QEMUs that are here. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { listProperties, openQmp, QEMUS, type Qmp, readObjects, readOption } from "./qmp.ts";

/** Says so when no QEMU here has the object type, and with what it was held against otherwise. */
export async function holdAgainstQemu(args: readonly string[], type: string): Promise<number> {
  let held = 0;
  for (const qemu of QEMUS) {
    const qmp = await openQmp(qemu);
    try {
      if ((await listProperties(qmp, type)) === null) continue;
      for (const object of readObjects(args)) {
        const known = await listProperties(qmp, String(object["qom-type"]));
        for (const name of Object.keys(object))
          if (name !== "qom-type" && name !== "id") assert.ok(known?.includes(name), name);
      }
      checkMachine(qemu, args);
      checkCpu(qemu, args);
      held++;
    } finally {
      await qmp.close();
    }
    await acceptObjects(qemu, args);
  }
  if (held === 0)
    console.error(`SKIPPED: no QEMU here has '${type}'; set DONJON_QEMU_NEXT to a newer one`);
  return held;
}

/** QEMU checks names and types of an object's values before it makes the object. */
async function acceptObjects(qemu: string, args: readonly string[]): Promise<void> {
  const objects = readObjects(args);
  const wrong = objects.map((object) => ({ ...object, "no-such-option": true }));
  await assert.rejects(openQmp(qemu, encodeObjects(wrong)), /'no-such-option' is unexpected/);
  let qmp: Qmp;
  try {
    qmp = await openQmp(qemu, encodeObjects(objects));
  } catch (error) {
    // Names and types are right, then; but some versions make a TD's object under KVM only.
    assert.match(String(error), /not an instance of type kvm-accel/);
    return;
  }
  try {
    for (const { id, "qom-type": type, ...values } of objects) {
      for (const [property, value] of Object.entries(values)) {
        if (typeof value === "object") continue;
        const found = await qmp.ask("qom-get", { path: `/objects/${id}`, property });
        assert.deepEqual(found, value, `${type}.${property}`);
      }
    }
  } finally {
    await qmp.close();
  }
}

function encodeObjects(objects: readonly object[]): string[] {
  return objects.flatMap((object) => ["-object", JSON.stringify(object)]);
}

function checkMachine(qemu: string, args: readonly string[]): void {
  const [machine, ...options] = readOption(args, "-machine").split(",");
  const help = spawnSync(qemu, ["-machine", `${machine},help`], { encoding: "utf8" }).stdout;
  // An option of the accelerator, which a machine passes on.
  const names = options
    .map((option) => option.split("=")[0]!)
    .filter((n) => n !== "kernel-irqchip");
  for (const name of names) assert.match(help, new RegExp(`^ +${name}=`, "m"));
}

function checkCpu(qemu: string, args: readonly string[]): void {
  const help = spawnSync(qemu, ["-cpu", "help"], { encoding: "utf8" }).stdout;
  assert.match(help, new RegExp(`^(x86)? +${readOption(args, "-cpu")} `, "m"));
}
