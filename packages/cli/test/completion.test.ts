/** What the shells themselves complete with the scripts, where they are installed. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { before, type TestContext, test } from "node:test";
import { createFiles, runCommand } from "./command.ts";

const scripts = new Map<string, string>();

before(async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const { stdout, code } = await runCommand(["completion", shell]);
    assert.equal(code, 0);
    scripts.set(shell, `${stdout}`);
  }
});

/** A folder with two files and a `donjon` that lists two Keeps. */
function createPlace(t: TestContext): { cwd: string; env: NodeJS.ProcessEnv } {
  const ps = `#!/bin/sh\n[ "$1" = ps ] && printf 'KEEP  NAME  STATE\\n12ab  web   running\\n34cd  db    exited\\n'\n`;
  const cwd = createFiles(t, { "app.wasm": "", "apple.txt": "", "bin/donjon": ps });
  chmodSync(join(cwd, "bin/donjon"), 0o755);
  const PATH = `${join(cwd, "bin")}${delimiter}${process.env["PATH"]}`;
  return { cwd, env: { ...process.env, PATH } };
}

/** Words before the cursor, the last one unfinished, and what may follow. */
const CASES: readonly (readonly [line: string, ...wanted: string[]])[] = [
  ["in", "init", "inspect"],
  ["run --ins", "--insecure"],
  ["run --backend s", "snp", "sgx"],
  ["run --memory "],
  ["run app", "app.wasm", "apple.txt"],
  ["run --insecure app.wasm -- app", "app.wasm", "apple.txt"],
  ["policy ", "init"],
  ["policy init --o", "--output"],
  ["agent token a", "add"],
  ["agent token add --max-k", "--max-keeps"],
  ["agent token set --allow-c", "--allow-connect"],
  ["logs ", "db", "web"],
  ["logs --insecure w", "web"],
  ["attest --policy app.w", "app.wasm"],
  ["completion ", "bash", "fish", "zsh"],
  ["help agent to", "token"],
];

test("each script has every command and every option", async () => {
  const { stdout } = await runCommand(["help"]);
  const names = [...`${stdout}`.matchAll(/^ {2}([a-z]+) .*/gm)].map((match) => match[1]!);
  assert.ok(names.length > 15, names.join(" "));
  for (const [shell, script] of scripts) {
    for (const word of [...names, "token", "insecure", "print-manifest", "mr-enclave"])
      assert.match(script, new RegExp(`\\b${word}\\b`), `${shell}: ${word}`);
  }
  const unknown = await runCommand(["completion", "tcsh"]);
  assert.equal(unknown.code, 125);
  assert.match(unknown.stderr, /<shell> is 'tcsh', and one of bash, zsh, fish is wanted\n/);
});

test("bash completes commands, options, their values, files and Keeps", (t) => {
  const { cwd, env } = createPlace(t);
  for (const [line, ...wanted] of [...CASES, ["run --backend=v", "vm"] as const]) {
    // As bash splits it: an equals sign is a word of its own.
    const words = `donjon ${line}`.split(" ").flatMap((word) => word.split(/(?<==)|(?==)/));
    const list = words.map((word) => `'${word}'`).join(" ");
    const ask = `COMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _donjon; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync("bash", ["-c", `${scripts.get("bash")}\n${ask}`], {
      ...{ cwd, env },
      encoding: "utf8",
    });
    assert.equal(stderr, "", line);
    assert.deepEqual(stdout.split("\n").filter(Boolean).sort(), wanted.toSorted(), line);
  }
});

test("fish completes the same", (t) => {
  const probe = spawnSync("fish", ["--version"]);
  if (probe.status !== 0) return t.skip("no fish here");
  const { cwd, env } = createPlace(t);
  writeFileSync(join(cwd, "donjon.fish"), scripts.get("fish")!);
  for (const [line, ...wanted] of CASES) {
    const ask = `source donjon.fish; complete -C 'donjon ${line}'`;
    const { stdout, stderr } = spawnSync("fish", ["-N", "-c", ask], {
      ...{ cwd, env: { ...env, HOME: cwd } },
      encoding: "utf8",
    });
    assert.equal(stderr, "", line);
    const found = stdout
      .split("\n")
      .flatMap((each) => each.split("\t", 1))
      .filter(Boolean);
    assert.deepEqual(found.sort(), wanted.toSorted(), line);
  }
});

test("zsh accepts the grammar of its script", (t) => {
  const probe = spawnSync("zsh", ["--version"]);
  if (probe.status !== 0) return t.skip("no zsh here");
  const { cwd, env } = createPlace(t);
  writeFileSync(join(cwd, "_donjon"), scripts.get("zsh")!);
  const { status, stderr } = spawnSync("zsh", ["-n", "_donjon"], { cwd, env, encoding: "utf8" });
  assert.deepEqual([status, stderr], [0, ""]);
});
