import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createProcessBackend } from "../../src/backend/process.ts";

const HOST = join(import.meta.dirname, "inherit-host.ts");
const folder = mkdtempSync(join(tmpdir(), "donjon-spawn-"));
after(() => rmSync(folder, { recursive: true }));

const SECRET = "inherited";
/** Far from each other, and above what the engine marks by itself. */
const INHERITED = [40, 63, 1000];

/** A Keep that tells which descriptors it can read, and what it finds there. */
const PROBING = join(folder, "probe.cjs");
writeFileSync(
  PROBING,
  `const { readSync, writeSync } = require("node:fs");
  for (let descriptor = 3; descriptor <= 1100; descriptor++) {
    if (descriptor === 3 || descriptor === 4) continue;
    try {
      const bytes = Buffer.alloc(64);
      const count = readSync(descriptor, bytes, 0, 64, 0);
      if (count > 0) writeSync(2, "read " + descriptor + " " + bytes.toString("latin1", 0, count) + "\\n");
    } catch {}
  }
  writeSync(2, "over\\n");
  process.kill(process.pid, "SIGKILL");`,
);

for (const sandbox of ["bubblewrap", "permission model alone"]) {
  test(`a Keep gets nothing of what its host inherited, and the host keeps it (${sandbox})`, async () => {
    const file = join(folder, "secret");
    writeFileSync(file, SECRET);
    const open = openSync(file, "r");
    const stdio: ("ignore" | "pipe" | number)[] = Array(INHERITED.at(-1)! + 1).fill("ignore");
    stdio[1] = "pipe";
    for (const descriptor of INHERITED) stdio[descriptor] = open;
    const args = ["--conditions=source", HOST, PROBING, sandbox, INHERITED.join()];
    const host = spawn(process.execPath, args, { stdio });
    closeSync(open);
    let text = "";
    for await (const chunk of host.stdout!) text += chunk;
    const { lines, own } = JSON.parse(text);
    assert.deepEqual(own, [SECRET, SECRET, SECRET]);
    assert.equal(lines.at(-1), "over", text);
    assert.deepEqual(
      lines.filter((line: string) => line.startsWith("read")),
      [],
    );
  });
}

for (const bubblewrap of [true, false]) {
  test(`a Keep that never says anything is ended, and that is told (${bubblewrap ? "bubblewrap" : "permission model alone"})`, async () => {
    const runtime = join(folder, "silent.cjs");
    writeFileSync(runtime, "for (;;);");
    const backend = createProcessBackend(
      { engine: process.execPath, runtime },
      { bubblewrap, bootMs: 300 },
    );
    const lines: string[] = [];
    const keep = backend.start({ onConsole: (line) => lines.push(line) });
    assert.deepEqual(await keep.ended, { kind: "killed", signal: "SIGKILL" });
    assert.ok(lines.includes("the Keep did not come up within 0.3 s"), lines.join("\n"));
  });
}
