import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createProgram } from "../../src/commands.ts";

const UNIT = join(import.meta.dirname, "../../../../packaging/systemd/donjon-agent.service");

function readSettings(text: string): ReadonlyMap<string, string> {
  const lines = text.split("\n").filter((line) => /^[A-Za-z]+=/.test(line));
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

test("the unit starts the agent with options that there are, and leaves Keeps alone when it stops", async () => {
  const settings = readSettings(await readFile(UNIT, "utf8"));
  const [program, name, ...args] = settings.get("ExecStart")!.split(" ");
  assert.match(program!, /^\/.*\/donjon$/);
  const commands = createProgram({ exitCode: 0, early: null, rest: null }).commands;
  const command = commands.find((each) => each.name() === name)!;
  const options = args.filter((word) => word.startsWith("--"));
  assert.ok(options.length > 0);
  for (const option of options)
    assert.ok(
      command.options.some(({ long }) => long === option),
      option,
    );
  assert.equal(settings.get("KillMode"), "process");
  assert.equal(settings.get("OOMPolicy"), "continue");
  assert.equal(settings.get("NoNewPrivileges"), "yes");
});

const systemd = spawnSync("systemd-analyze", ["--version"]).status === 0;

test("systemd understands the unit", {
  skip: systemd ? false : "no systemd-analyze here",
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "donjon-unit-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const program = join(folder, "donjon");
  await writeFile(program, "#!/bin/sh\n");
  await chmod(program, 0o755);
  // A program and a user that this machine has.
  const text = (await readFile(UNIT, "utf8"))
    .replace("/usr/bin/donjon", program)
    .replace(/^(User|Group)=.*\n/gm, "");
  const unit = join(folder, "donjon-agent.service");
  await writeFile(unit, text);
  const { status, stderr } = spawnSync("systemd-analyze", ["verify", unit], { encoding: "utf8" });
  assert.deepEqual([status, stderr], [0, ""]);
});
