/** The files of a machine: private, made whole, and refused with a reason when they are not what they were. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { promisify } from "node:util";
import { DonjonError } from "@donjon/core/errors";
import fc from "fast-check";
import { openSecurityProcessor } from "../src/security-processor.ts";
import { KINDS, launchOf, machineDirectory, REPORT_DATA } from "./machines.ts";

const NAMES = ["keys.json", "trust.json"];
const run = promisify(execFile);
const whole = machineDirectory();
before(async () => {
  await openSecurityProcessor(whole);
});

/** A copy of one machine, for changing. */
function copyMachine(): string {
  const directory = machineDirectory();
  mkdirSync(directory, { mode: 0o700 });
  for (const name of NAMES) copyFileSync(join(whole, name), join(directory, name));
  return directory;
}

function fails(code: string, ...words: readonly string[]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof DonjonError, `wanted a DonjonError, found ${error}`);
    assert.equal(error.code, code, error.message);
    for (const word of words) assert.ok(error.message.includes(word), error.message);
    return true;
  };
}

/** Opens and uses all keys. */
async function use(directory: string): Promise<void> {
  const processor = await openSecurityProcessor(directory);
  for (const kind of KINDS) await processor.createEvidence(launchOf(kind), REPORT_DATA);
}

test("directory and files are for their owner only, and no draft stays", () => {
  assert.equal(statSync(whole).mode & 0o777, 0o700);
  assert.deepEqual(readdirSync(whole).sort(), NAMES);
  for (const name of NAMES) assert.equal(statSync(join(whole, name)).mode & 0o777, 0o600);
});

/** Opens a directory in a process of its own. */
async function openElsewhere(
  directory: string,
): Promise<{ readonly fingerprint: string; readonly issued: boolean }> {
  const script = join(import.meta.dirname, "open-once.ts");
  const { stdout } = await run(process.execPath, ["--conditions=source", script, directory]);
  return JSON.parse(stdout);
}

test("processes that start at once find one machine", async () => {
  const directory = machineDirectory();
  const found = await Promise.all(Array.from({ length: 4 }, () => openElsewhere(directory)));
  const { trust } = await openSecurityProcessor(directory);
  assert.deepEqual(
    new Set(found.map(({ fingerprint }) => fingerprint)),
    new Set([trust.fingerprint]),
  );
  assert.deepEqual(readdirSync(directory).sort(), NAMES);
});

test("only the first opening loads what writes certificates, so that later ones are fast", async () => {
  const directory = machineDirectory();
  assert.equal((await openElsewhere(directory)).issued, true);
  assert.equal((await openElsewhere(directory)).issued, false);
});

for (const [what, mode, name] of [
  ["directory that others may enter", 0o755, "."],
  ["key file that others may read", 0o640, "keys.json"],
] as const) {
  test(`a ${what} is refused with what to do`, async () => {
    const directory = copyMachine();
    chmodSync(join(directory, name), mode);
    await assert.rejects(openSecurityProcessor(directory), fails("files/read", "chmod"));
  });
}

test("a directory that cannot be made is refused", async () => {
  const path = machineDirectory();
  writeFileSync(path, "");
  await assert.rejects(openSecurityProcessor(join(path, "below")), fails("files/write", path));
});

const DAMAGES: readonly (readonly [
  what: string,
  name: string,
  change: (text: string) => string,
])[] = [
  ["empty", "keys.json", () => ""],
  ["cut in the middle", "keys.json", (text) => text.slice(0, text.length / 2)],
  [
    "of another format",
    "keys.json",
    (text) => text.replace("simulated-keys/1", "simulated-keys/9"),
  ],
  ["with a member more", "keys.json", (text) => text.replace("{", '{"more":1,')],
  ["without a key", "keys.json", (text) => text.replace('"vcek"', '"lost"')],
  [
    "with a chip identity of 63 octets",
    "keys.json",
    (text) => text.replace(/"chipId":"../, '"chipId":"'),
  ],
  ["with a key of no kind", "keys.json", (text) => text.replace(/"vcek":"[^"]*"/, '"vcek":"AAAA"')],
  [
    "with a key of another kind",
    "keys.json",
    (text) =>
      text.replace(/"pck":"[^"]*"/, text.match(/"vcek":("[^"]*")/)![0].replace("vcek", "pck")),
  ],
  ["of 70,000 octets", "keys.json", (text) => text.padEnd(70_000)],
  ["empty", "trust.json", () => ""],
  ["cut in the middle", "trust.json", (text) => text.slice(0, text.length / 2)],
  ["with a member more", "trust.json", (text) => text.replace("{", '{"more":1,')],
  ["of 300,000 octets", "trust.json", (text) => text.padEnd(300_000)],
];

for (const [what, name, change] of DAMAGES) {
  test(`a ${name} ${what} is refused by its name, with what to do`, async () => {
    const directory = copyMachine();
    const path = join(directory, name);
    writeFileSync(path, change(readFileSync(path, "utf8")));
    await assert.rejects(use(directory), fails("files/read", path, "remove it"));
    rmSync(path);
    await use(directory);
  });
}

test("a key file with any one character changed opens, or is refused as unreadable", async () => {
  const directory = copyMachine();
  const path = join(directory, "keys.json");
  const text = readFileSync(path, "utf8");
  const change = fc.tuple(fc.nat(text.length - 1), fc.constantFrom(...'A0f"{}:, \n/\0'));
  await fc.assert(
    fc.asyncProperty(change, async ([at, character]) => {
      writeFileSync(path, `${text.slice(0, at)}${character}${text.slice(at + 1)}`);
      await use(directory).catch(fails("files/read", path));
    }),
    { numRuns: 150 },
  );
});

test("a trust of other keys is written again for these", async () => {
  const [directory, other] = [copyMachine(), machineDirectory()];
  await openSecurityProcessor(other);
  copyFileSync(join(other, "trust.json"), join(directory, "trust.json"));
  const { trust } = await openSecurityProcessor(directory);
  assert.equal(trust.fingerprint, (await openSecurityProcessor(whole)).trust.fingerprint);
  assert.equal(
    JSON.parse(readFileSync(join(directory, "trust.json"), "utf8")).fingerprint,
    trust.fingerprint,
  );
});
