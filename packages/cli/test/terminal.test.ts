/** What a program sees of this machine's terminals, through pseudo-terminals that Python makes. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { createFiles, LAUNCHER } from "./command.ts";
import { GUESTS } from "./guest.ts";

/** Runs a command with a terminal on the descriptors that the first argument lists, prints how it ended. */
const SCRIPT = `
import json, os, pty, subprocess, sys, threading
master, slave = pty.openpty()
shown = []
def watch():
    try:
        while data := os.read(master, 65536): shown.append(data)
    except OSError: pass
reader = threading.Thread(target=watch)
reader.start()
at = lambda fd, other: slave if str(fd) in sys.argv[1] else other
done = subprocess.run(sys.argv[2:], stdin=at(0, subprocess.DEVNULL), stdout=at(1, subprocess.PIPE), stderr=at(2, subprocess.PIPE))
os.close(slave)
reader.join()
print(json.dumps({"code": done.returncode, "shown": b"".join(shown).decode()}))
`;
const skip =
  spawnSync("python3", ["--version"]).status !== 0 && "there is no python3 to make a terminal";

function runOnTerminal(descriptors: string, args: readonly string[]) {
  const command = ["-c", SCRIPT, descriptors, LAUNCHER, "run", "--insecure", ...args];
  const { stdout, stderr } = spawnSync("python3", command, { encoding: "utf8" });
  assert.notEqual(stdout, "", stderr);
  return JSON.parse(stdout) as { code: number; shown: string };
}

test("a program is told which of its streams are terminals", { skip }, (t) => {
  const module = join(createFiles(t, { "a.wasm": GUESTS.terminals() }), "a.wasm");
  const cases: [descriptors: string, code: number][] = [
    ["", 0b000],
    ["0", 0b001],
    ["1", 0b010],
    ["2", 0b100],
    ["012", 0b111],
  ];
  for (const [descriptors, code] of cases) {
    assert.equal(runOnTerminal(descriptors, ["--quiet", module]).code, code, descriptors);
  }
});

test("a stream that the manifest does not grant is no terminal", { skip }, (t) => {
  const module = join(createFiles(t, { "a.wasm": GUESTS.terminals() }), "a.wasm");
  const { code } = runOnTerminal("012", ["--quiet", "--stdin", "null", "--stderr", "null", module]);
  assert.equal(code, 0b010);
});
