import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { encodeQemuArguments } from "../../src/backend/qemu/arguments.ts";
import { findConfinement } from "../../src/backend/qemu/confine.ts";
import { measureVmLaunch } from "../../src/backend/qemu/measure.ts";
import { probeKvm } from "../../src/backend/qemu/probe-kvm.ts";
import { startQemu } from "../../src/backend/qemu/start.ts";
import { createVmBackend } from "../../src/backend/vm.ts";

const machine = {
  machine: "q35",
  accelerator: "tcg",
  cpu: "max",
  vcpus: 1,
  memoryMib: 512,
  kernel: "/k",
  initrd: "/i",
  commandLine: "quiet",
};

async function withFolder(use: (folder: string) => unknown): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "donjon-test-"));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("a machine has two ports and a console, and neither network, disk, display nor monitor", () => {
  const args = encodeQemuArguments(machine);
  const devices = args.filter((_, index) => args[index - 1] === "-device");
  assert.deepEqual(
    devices.map((each) => each.split(",")[0]),
    ["virtio-serial-pci", "virtserialport", "virtserialport"],
  );
  for (const flag of ["-nodefaults", "-no-user-config", "-no-reboot", "-sandbox"])
    assert.ok(args.includes(flag), flag);
  assert.doesNotMatch(args.join(" "), /-net|-nic|-drive|-blockdev|-monitor|-qmp|-fsdev|-virtfs/);
});

test("a launch is measured by its kernel, its initrd and its command line", () =>
  withFolder((folder) => {
    const write = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const launch = {
      kernel: write("kernel", "kernel"),
      initrd: write("initrd", "initrd"),
      commandLine: "quiet",
      imageDigest: "00",
    };
    const measure = (changes: Partial<typeof launch>) =>
      Buffer.from(measureVmLaunch({ ...launch, ...changes }).measurement).toString("hex");
    const all = [
      measure({}),
      measure({ kernel: write("other-kernel", "kernel!") }),
      measure({ initrd: write("other-initrd", "initrd!") }),
      measure({ kernel: launch.initrd, initrd: launch.kernel }),
      measure({ commandLine: "loud" }),
    ];
    assert.equal(new Set(all).size, all.length);
    assert.equal(measure({}), all[0]);
    assert.equal(all[0]!.length, 96);
    assert.equal(measureVmLaunch(launch).tee, "snp");
  }));

test("a QEMU that is not there shows as the end of the Keep, not as an error", () =>
  withFolder(async (folder) => {
    const cmdline = join(folder, "cmdline");
    writeFileSync(cmdline, "quiet");
    const image = { vmlinux: cmdline, initrd: cmdline, cmdline, digest: "00" };
    const backend = createVmBackend(image, { qemu: "/nowhere/qemu", accelerator: "tcg" });
    const lines: string[] = [];
    const keep = backend.start({ onConsole: (line) => lines.push(line) });
    assert.equal((await keep.ended).kind, "exited");
    keep.kill();
  }));

test("what QEMU says before it ends is on the console", async () => {
  const lines: string[] = [];
  const { promise: said, resolve } = Promise.withResolvers<void>();
  const say = [
    "/bin/sh",
    "-c",
    'printf "one\\r\\n[    4.8] reboot: Restarting system\\r\\ntwo\\n" >&5; echo three >&2; exit 4',
  ];
  const qemu = startQemu(say, (line) => {
    if (lines.push(line) === 3) resolve();
  });
  assert.deepEqual(await qemu.ended, { kind: "exited", code: 4 });
  await said;
  assert.deepEqual(lines.sort(), ["one", "three", "two"]);
});

test("a machine that says nothing on the gate is ended after its time, and one that has is not", async () => {
  const lines: string[] = [];
  const mute = startQemu(["/bin/sleep", "600"], (line) => lines.push(line), 50);
  assert.deepEqual(await mute.ended, { kind: "killed", signal: "SIGKILL" });
  assert.deepEqual(lines, ["the machine did not come up within 0.05 s"]);
  const say = ["/bin/sh", "-c", "echo word >&3; read line <&3; exit 7"];
  const talking = startQemu(say, () => {}, 200);
  talking.in.resume();
  await new Promise((resolve) => setTimeout(resolve, 400));
  talking.in.write("go\n");
  assert.deepEqual(await talking.ended, { kind: "exited", code: 7 });
});

test("the confinement ends what it started when its starter is killed, and shows it no home", () => {
  const confinement = findConfinement();
  const command = confinement.wrap(["/bin/true"], [], []);
  assert.equal(command.at(-1), "/bin/true");
  if (command[0]?.endsWith("bwrap")) {
    assert.ok(command.includes("--die-with-parent"));
    assert.ok(!command.includes("/home") && !command.includes("/root"));
  }
});

test("the answer about KVM is kept for this boot of the machine, and asked again for another kernel", () =>
  withFolder(async (folder) => {
    const kernel = join(folder, "kernel");
    writeFileSync(kernel, "no kernel");
    const probe = { qemu: "/bin/false", kernel, state: folder };
    const first = await probeKvm(probe);
    assert.equal(first.works, false);
    assert.deepEqual(await probeKvm(probe), first);
    writeFileSync(kernel, "another");
    assert.equal((await probeKvm(probe)).works, false);
  }));
