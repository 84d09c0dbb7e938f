import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import {
  createTdxBackend,
  encodeTdxArguments,
  openTdxBackend,
  TDX_PARAMETER,
  type TdxMachine,
} from "../../src/backend/tdx.ts";
import { holdAgainstQemu } from "./hardware.ts";
import { testHardwareBackend } from "./hardware-contract.ts";
import { readObjects, readOption } from "./qmp.ts";

const MACHINE: TdxMachine = {
  qemu: "/usr/bin/qemu-system-x86_64",
  firmware: "/usr/share/ovmf/OVMF.inteltdx.fd",
  kernel: "/i/kernel",
  initrd: "/i/initrd",
  commandLine: "console=ttyS0",
  mrConfigId: new Uint8Array(48).fill(9),
  quoteService: { type: "vsock", cid: "2", port: "4050" },
};

test("a TD starts with a quote service, a configuration id, a split interrupt controller and no debugging", () => {
  const args = encodeTdxArguments(MACHINE);
  assert.deepEqual(readObjects(args), [
    {
      "qom-type": "tdx-guest",
      id: "tdx",
      "sept-ve-disable": true,
      mrconfigid: Buffer.alloc(48, 9).toString("base64"),
      "quote-generation-socket": { type: "vsock", cid: "2", port: "4050" },
    },
  ]);
  assert.match(
    readOption(args, "-machine"),
    /^q35,confidential-guest-support=tdx,kernel-irqchip=split,/,
  );
  assert.equal(readOption(args, "-accel"), "kvm");
  assert.equal(readOption(args, "-cpu"), "host");
  assert.equal(readOption(args, "-bios"), MACHINE.firmware);
  for (const word of ["-drive", "-netdev", "-nic", "-virtfs", "-monitor"])
    assert.ok(!args.includes(word));
  for (const length of [0, 32, 47, 49])
    assert.throws(
      () => encodeTdxArguments({ ...MACHINE, mrConfigId: new Uint8Array(length) }),
      RangeError,
    );
});

test("QEMU knows every option of a TD, and reads their values", async (t) => {
  for (const quoteService of [
    MACHINE.quoteService,
    { type: "unix", path: "/var/run/tdx-qgs/qgs.socket" },
  ] as const) {
    const held = await holdAgainstQemu(
      encodeTdxArguments({ ...MACHINE, quoteService }),
      "tdx-guest",
    );
    if (held === 0) return t.skip("no QEMU here has 'tdx-guest'");
  }
});

test("the backend says what a machine without TDX lacks", {
  skip: existsSync(TDX_PARAMETER),
}, () => {
  assert.throws(() => openTdxBackend({ engine: process.execPath, runtime: import.meta.filename }), {
    code: "backend/unavailable",
    message: /'tdx' cannot run here: \/sys\/module\/kvm_intel\/parameters\/tdx does not say Y/,
  });
});

testHardwareBackend("tdx", createTdxBackend);
