import assert from "node:assert/strict";
import { copyFile, mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { execute, makeFolder, runManifest } from "../support/keep.ts";
import { createToolchain } from "./support/toolchain.ts";

const HERE = import.meta.dirname;
const AMALGAMATION = join(HERE, "node_modules/better-sqlite3/deps/sqlite3");
const ROWS = 100_000;
const DATABASE_BYTES_MIN = 100_000_000;
const FLAGS = ["SQLITE_THREADSAFE=0", "SQLITE_OMIT_LOAD_EXTENSION", "SQLITE_MAX_MMAP_SIZE=0"];

/** Builds `database.wasm` from SQLite's amalgamation with the compiler in a Keep. */
async function buildDatabaseProgram(folder: string): Promise<string> {
  const source = join(folder, "src");
  const out = join(folder, "out");
  await Promise.all([source, out].map((path) => mkdir(path)));
  for (const name of ["sqlite3.c", "sqlite3.h"]) {
    await copyFile(join(AMALGAMATION, name), join(source, name));
  }
  await copyFile(join(HERE, "sqlite/database.c"), join(source, "database.c"));
  const { compile, link } = await createToolchain(folder, source, out);
  await compile("sqlite3.c", "sqlite3.o", ["-O2", ...FLAGS.map((flag) => `-D${flag}`)]);
  await compile("database.c", "database.o", ["-O2"]);
  await link(["database.o", "sqlite3.o"], "database.wasm");
  return join(out, "database.wasm");
}

test("SQLite, compiled in a Keep, builds a 100 MB database that comes back whole", async (t) => {
  const folder = await makeFolder(t);
  const file = await buildDatabaseProgram(folder);
  const data = join(folder, "data");
  await mkdir(data);
  const path = join(data, "items.db");
  const run = async (action: string): Promise<void> => {
    const mounts = [{ guest: "/data", host: data, writable: true }];
    const args = [action, "/data/items.db", String(ROWS)];
    const finished = await runManifest(folder, { file, args, mounts });
    const expected = await readFile(join(HERE, `sqlite/${action}.expected.txt`), "utf8");
    assert.equal(finished.stdout, expected, finished.stderr);
    assert.equal(finished.code, 0);
  };

  await run("build");
  const { size } = await stat(path);
  assert.ok(size >= DATABASE_BYTES_MIN, `${size} octets`);
  await verifyOnHost(path, ROWS, 5_000_073_754);
  await run("check");
  await run("change");
  await verifyOnHost(path, (ROWS / 10) * 9, 4_500_150_602);
});

/** Opens the file with the machine's own SQLite: another build, outside the Keep. */
async function verifyOnHost(path: string, rows: number, prices: number): Promise<void> {
  const script = `
import sqlite3, sys
connection = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
print(*connection.execute("pragma integrity_check").fetchone())
print(*connection.execute("select count(*), sum(price) from item").fetchone())
print(*connection.execute("select count(*) from item where name <> 'item-' || id or length(body) <> 960").fetchone())
`;
  const checked = await execute("python3", ["-c", script, path]);
  assert.equal(checked.stdout, `ok\n${rows} ${prices}\n0\n`, checked.stderr);
}
