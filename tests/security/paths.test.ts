import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { makeFolder } from "../support/keep.ts";
import { readNumbers, runGuest } from "./guest.ts";

interface Host {
  readonly root: string;
  /** The directory that the guest is given. */
  readonly box: string;
  /** Files that it is not given, and what is in each. */
  readonly secrets: ReadonlyMap<string, string>;
}

/** A packed directory with a secret beside it, one in the root of the machine, and links of the owner to both. */
async function createHost(t: TestContext): Promise<Host> {
  const root = await makeFolder(t);
  const box = join(root, "box");
  mkdirSync(box);
  const secrets = new Map([
    [join(root, "secret.txt"), `MARKER-${randomBytes(16).toString("hex")}`],
  ]);
  const top = `/donjon-test-${randomBytes(8).toString("hex")}.txt`;
  try {
    writeFileSync(top, "", { flag: "wx" });
    t.after(() => rmSync(top));
    secrets.set(top, `MARKER-${randomBytes(16).toString("hex")}`);
  } catch {
    t.diagnostic("the root of this machine cannot be written: the secret there is left out");
  }
  for (const [path, text] of secrets) writeFileSync(path, text);
  symlinkSync("../secret.txt", join(box, "owners-link-up"));
  symlinkSync(top, join(box, "owners-link-absolute"));
  symlinkSync("..", join(box, "owners-directory-up"));
  return { root, box, secrets };
}

/** The secrets that are in a text. */
function findSecrets({ secrets }: Host, text: string): string[] {
  return [...secrets.values()].filter((secret) => text.includes(secret));
}

/** What is beside the box, to see whether anything changed. */
function lookAround({ root }: Host): string[] {
  return readdirSync(root)
    .filter((name) => name !== "box")
    .map((name) => {
      const { mtimeMs, size, mode } = lstatSync(join(root, name));
      return `${name} ${mode} ${size} ${mtimeMs}`;
    });
}

test("no trick with paths and links reaches a file of the host", async (t) => {
  const host = await createHost(t);
  const before = lookAround(host);
  const args = ["../secret.txt", ...host.secrets.keys()];
  const { code, stdout, stderr } = await runGuest("paths", {
    flags: ["--dir", `${host.box}:/box:rw`],
    args,
  });
  assert.equal(code, 0, stderr);
  assert.deepEqual(findSecrets(host, stdout + stderr), []);
  assert.ok(!stdout.includes("CONTENT"), "nothing at all was opened");

  const lines = stdout.trimEnd().split("\n");
  const tried = lines.filter((line) => !line.startsWith("setup "));
  // A link itself may be read; what it points to may not.
  const allowed = / readlink 0$/;
  assert.deepEqual(
    tried.filter((line) => line.endsWith(" 0") && !allowed.test(line)),
    [],
  );
  assert.ok(tried.length > 300, `${tried.length} tries`);
  // The links that the tricks need were made, so they were tried; absolute ones cannot be made.
  const setup = readNumbers(lines.filter((line) => /^setup (?!link )/.test(line)).join("\n"));
  assert.deepEqual([...new Set(setup.values())], [0], lines.join("\n"));
  const links = lines.filter((line) => line.startsWith("setup link "));
  assert.deepEqual(
    links.map((line) => line.split(" ")[2]),
    ["0", ...args.slice(1).map(() => "63")],
  );

  for (const [path, text] of host.secrets) assert.equal(readFileSync(path, "utf8"), text);
  assert.deepEqual(lookAround(host), before, "nothing beside the directory changed");
  // What came back are links as such.
  assert.equal(readlinkSync(join(host.box, "lifted")), "..");
});

test("the same guest shows a secret that lies in what it was given, so the detector works", async (t) => {
  const host = await createHost(t);
  const { code, stdout } = await runGuest("paths", {
    flags: ["--dir", `${host.root}:/box`],
    args: ["secret.txt"],
  });
  assert.equal(code, 0);
  assert.deepEqual(findSecrets(host, stdout), [host.secrets.get(join(host.root, "secret.txt"))]);
});

test("names that are wrong, too long or in circles get their errno", async () => {
  const { code, stdout, stderr } = await runGuest("names", { flags: ["--tmp"] });
  assert.equal(code, 0, stderr);
  const found = Object.fromEntries(readNumbers(stdout));
  const inval = 28;
  const ilseq = 25;
  const nametoolong = 37;
  const loop = 32;
  const perm = 63;
  const wanted = {
    ...{ "nul-inside": inval, "nul-last": inval, "nul-then-up": inval },
    ...{ "not-utf8": ilseq, "overlong-dots": ilseq, "overlong-slash": ilseq, surrogate: ilseq },
    ...{ "cut-sequence": ilseq, "beyond-unicode": ilseq, empty: 44, "only-slashes": perm },
    ...{ backslashes: 0, percent: 0, "fullwidth-dots": 0, "three-dots": 0, newline: 0, drive: 0 },
    ...{ "name-255": 0, "name-256": nametoolong, "path-4095-one-name": nametoolong },
    ...{ "dots-4095": 31, "dots-4096": nametoolong, "dots-65536": nametoolong },
    ...{ "slashes-131072": nametoolong, "length-4-GiB": 21, "length-2-GiB": 21 },
    ...{ "file-slash": 31, "file-dot": 54, "file-up": 54, "directory-slash": 0 },
    ...{ "make-with-slash": 0, "remove-dot": inval, "remove-up": 55, "remove-root": inval },
    ...{ "rename-root": 10, "rename-into-itself": inval, "link-directory": perm },
    ...{ "link-to-itself": loop, "two-links": loop, "link-below-itself": loop },
    ...{ "chain-passed": 40, "chain-ends-with": loop, "doubled-links": loop },
    ...{ depth: 20_000, "depth-ended-with": 0, "deep-up": perm },
  };
  assert.deepEqual(found, wanted);
});

test("a tree that the owner's disk should not hold is refused whole, with its reason", async (t) => {
  const { box } = await createHost(t);
  const before = readdirSync(box).sort();
  const { code, stderr } = await runGuest("names", { flags: ["--dir", `${box}:/box:rw`] });
  assert.equal(code, 125);
  assert.match(stderr, /^donjon: found directories 257 deep in a packed mount, wanted at most 256/);
  assert.deepEqual(readdirSync(box).sort(), before);
});

test("a directory that another thread swaps for a link out is never gone through", async (t) => {
  const host = await createHost(t);
  const before = lookAround(host);
  const { code, stdout, stderr } = await runGuest("threads", {
    flags: ["--dir", `${host.box}:/box:rw`],
    args: ["renames"],
  });
  assert.equal(code, 0, stderr);
  const found = readNumbers(stdout);
  assert.equal(found.get("setup-way-out"), 0);
  assert.equal(found.get("elsewhere"), 0);
  // Both sides of the race were met, many times.
  for (const name of ["opened", "refused", "swaps"]) assert.ok(found.get(name)! >= 20, stdout);
  assert.deepEqual(findSecrets(host, stdout), []);
  assert.deepEqual(lookAround(host), before);
});
