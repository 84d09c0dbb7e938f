import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { scanTree } from "@donjon/client/trees/read-tree";
import { recoverTree } from "@donjon/client/trees/recover";
import { stageChanges } from "@donjon/client/trees/write-back";
import { packTree } from "@donjon/wasi/files/pack";
import {
  type Change,
  createDirectory,
  fillDirectory,
  type Listing,
  listDirectory,
  packChanges,
} from "./fixture.ts";

const BEFORE = {
  keep: "same",
  edit: "old",
  gone: "bye",
  dir: { in: "1" },
  file: "f",
  sub: { a: "1", b: "2" },
  ln: "@keep",
};
const CHANGES: Change[] = [
  { path: "edit", to: "new" },
  { path: "gone", to: null },
  { path: "dir", to: "now a file" },
  { path: "file", to: "/" },
  { path: "file/deep", to: "/" },
  { path: "file/deep/x", to: "*run" },
  { path: "sub/a", to: null },
  { path: "sub/c", to: "3" },
  { path: "ln", to: "@/etc/passwd" },
  { path: "more", to: "twice" },
  { path: "more2", to: "=more" },
];
const AFTER = {
  keep: "same",
  edit: "new",
  dir: "now a file",
  file: { deep: { x: "*run" } },
  sub: { b: "2", c: "3" },
  ln: "@/etc/passwd",
  more: "twice",
  more2: "twice",
};

function writeBack(root: string, changes: readonly Change[]) {
  const { marks } = scanTree(root);
  stageChanges(root, packChanges(changes), marks).commit();
}

test("changes of every kind arrive, and nothing else is touched", (t) => {
  const root = createDirectory(t, BEFORE);
  const untouched = statSync(join(root, "keep")).ino;
  writeBack(root, CHANGES);
  assert.deepEqual(listDirectory(root), AFTER);
  assert.equal(statSync(join(root, "keep")).ino, untouched);
  assert.equal(statSync(join(root, "file/deep/x")).mode & 0o100, 0o100);
  assert.equal(statSync(join(root, "more")).ino, statSync(join(root, "more2")).ino);
});

test("permissions stay, and the guest decides on the executable bit only", (t) => {
  const root = createDirectory(t, { secret: "1", run: "*1" });
  spawnSync("chmod", ["600", join(root, "secret")]);
  writeBack(root, [
    { path: "secret", to: "2" },
    { path: "run", to: "plain" },
  ]);
  assert.equal(statSync(join(root, "secret")).mode & 0o777, 0o600);
  assert.equal(statSync(join(root, "run")).mode & 0o111, 0);
});

test("a process killed before any step leaves the old tree or, after recovery, the new one", (t) => {
  const changes = join(mkdtempSync(join(tmpdir(), "donjon-changes-")), "changes");
  t.after(() => rmSync(join(changes, ".."), { recursive: true, force: true }));
  writeFileSync(changes, packChanges(CHANGES));
  const child = join(import.meta.dirname, "crash-child.ts");
  const seen = new Map<string, number>();
  let committed = false;
  for (let step = 0; ; step++) {
    assert.ok(step < 100, "the write-back never came to its end");
    const root = createDirectory(t, BEFORE);
    const args = ["--conditions=source", child, root, changes, `${step}`];
    const run = spawnSync(process.execPath, args, { encoding: "utf8" });
    if (run.status === 0) {
      assert.equal(Number(run.stdout), step);
      break;
    }
    assert.equal(run.signal, "SIGKILL", run.stderr);
    const end = recoverTree(root);
    committed ||= end === "finished";
    seen.set(end, (seen.get(end) ?? 0) + 1);
    assert.deepEqual(listDirectory(root), committed ? AFTER : BEFORE, `killed before step ${step}`);
  }
  // Both sides of the commit were met.
  assert.ok(
    (seen.get("removed") ?? 0) > 5 && (seen.get("finished") ?? 0) > 5,
    JSON.stringify([...seen]),
  );
});

test("a recovery that is cut off at any step is finished by the next one", (t) => {
  const cutAt = (wanted: number) => {
    let steps = 0;
    return () => {
      if (steps++ === wanted) throw new Error("cut");
    };
  };
  const changes = packChanges(CHANGES);
  for (let step = 0; ; step++) {
    assert.ok(step < 100, "the recovery never came to its end");
    const root = createDirectory(t, BEFORE);
    const { marks } = scanTree(root);
    const onStep = (name: string) => {
      if (name.startsWith("move out")) throw new Error("cut");
    };
    assert.throws(() => stageChanges(root, changes, marks, { onStep }).commit(), /half written/);
    let cut = true;
    try {
      recoverTree(root, cutAt(step));
      cut = false;
    } catch (error) {
      assert.match(`${error}`, /cut/);
    }
    recoverTree(root);
    assert.deepEqual(listDirectory(root), AFTER);
    if (!cut) break;
  }
});

test("a host file that changed meanwhile is a conflict: nothing is written, the result is kept", (t) => {
  const cases: [string, (root: string) => void][] = [
    ["edit", (root) => writeFileSync(join(root, "edit"), "theirs")],
    ["sub/c", (root) => writeFileSync(join(root, "sub/c"), "theirs")],
    ["dir/extra", (root) => writeFileSync(join(root, "dir/extra"), "theirs")],
    ["gone", (root) => rmSync(join(root, "gone"))],
  ];
  for (const [path, interfere] of cases) {
    const root = createDirectory(t, BEFORE);
    const { marks } = scanTree(root);
    const staged = stageChanges(root, packChanges(CHANGES), marks);
    interfere(root);
    const theirs = listDirectory(root);
    assert.throws(
      () => staged.commit(),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "files/conflict");
        assert.ok(error.message.includes(`'${path}'`), error.message);
        assert.ok(error.message.includes(join(root, ".donjon-conflict-1/new")));
        return true;
      },
    );
    const { ".donjon-conflict-1": kept, ...now } = listDirectory(root) as Record<string, object>;
    const { ".donjon-changes": _, ...before } = theirs;
    assert.deepEqual(now, before);
    assert.equal((kept as { new: { edit: string } }).new.edit, "new");
    assert.equal(
      readFileSync(join(root, ".donjon-conflict-1/removed"), "utf8").includes("gone\n"),
      true,
    );
  }
});

test("a change elsewhere in the host tree is no conflict", (t) => {
  const root = createDirectory(t, BEFORE);
  const { marks } = scanTree(root);
  writeFileSync(join(root, "keep"), "theirs");
  stageChanges(root, packChanges([{ path: "edit", to: "new" }]), marks).commit();
  assert.equal(readFileSync(join(root, "edit"), "utf8"), "new");
  assert.equal(readFileSync(join(root, "keep"), "utf8"), "theirs");
});

test("a path through a symlink of the host is refused and nothing outside is written", (t) => {
  const outside = createDirectory(t, { victim: "safe" });
  const root = createDirectory(t, { a: "1" });
  symlinkSync(outside, join(root, "out"));
  const { marks } = scanTree(root);
  assert.throws(
    () => stageChanges(root, packChanges([{ path: "out/victim", to: "bad" }]), marks).commit(),
    { code: "files/conflict" },
  );
  assert.deepEqual(listDirectory(outside), { victim: "safe" });
  assert.ok(!existsSync(join(root, ".donjon-changes")));
});

test("a link that stands in a parent's place while changes are staged is not written through", (t) => {
  const home = createDirectory(t, { outside: {}, tree: { sub: {} } });
  const root = join(home, "tree");
  const { marks } = scanTree(root);
  const changes = packChanges([
    { path: "a", to: "1" },
    { path: "sub/x", to: "2" },
  ]);
  // As where "SUB" and "sub" are one name, and the guest made a link of the first.
  const onStep = (step: string) => {
    if (step === "stage a") symlinkSync("../../../outside", join(root, ".donjon-changes/new/sub"));
  };
  assert.throws(() => stageChanges(root, changes, marks, { onStep }), { code: "files/write" });
  assert.deepEqual(listDirectory(home), { outside: {}, tree: { sub: {} } });
});

test("a directory that becomes a symlink between stage and commit is a conflict, and nothing outside is written", (t) => {
  const home = createDirectory(t, { outside: {}, tree: { sub: { a: "1" } } });
  const root = join(home, "tree");
  const { marks } = scanTree(root);
  const staged = stageChanges(root, packChanges([{ path: "sub/x", to: "new" }]), marks);
  rmSync(join(root, "sub"), { recursive: true });
  symlinkSync("../outside", join(root, "sub"));
  assert.throws(() => staged.commit(), { code: "files/conflict", message: /result is kept/ });
  assert.deepEqual(listDirectory(join(home, "outside")), {});
  assert.equal(recoverTree(root), "clean");
});

test("a symlink that takes the place of a file is written over, never through", (t) => {
  const outside = createDirectory(t, { victim: "safe" });
  const root = createDirectory(t, {});
  symlinkSync(join(outside, "victim"), join(root, "f"));
  writeBack(root, [{ path: "f", to: "mine" }]);
  assert.deepEqual(listDirectory(root), { f: "mine" });
  assert.deepEqual(listDirectory(outside), { victim: "safe" });
});

test("names with '..', absolute names and children of symlinks cannot be sent", (t) => {
  const root = createDirectory(t, { a: "1" });
  const { marks } = scanTree(root);
  const forge = (from: string, to: string) => {
    const bytes = Buffer.from(packChanges([{ path: from, to: "x" }]));
    bytes.set(Buffer.from(to), bytes.indexOf(from));
    return bytes;
  };
  for (const bytes of [
    forge("aa/b", "../b"),
    forge("aaaa", "/etc"),
    forge("a/./b".replace(".", "c"), "a/./b"),
  ]) {
    assert.throws(() => stageChanges(root, bytes, marks), { code: "bytes/invalid" });
  }
  assert.throws(
    () =>
      packChanges([
        { path: "l", to: "@/etc" },
        { path: "l/passwd", to: "x" },
      ]),
    { code: "bytes/invalid" },
  );
  assert.deepEqual(listDirectory(root), { a: "1" });
});

test("a workload cannot write Donjon's own names", (t) => {
  const root = createDirectory(t, { a: "1" });
  const { marks } = scanTree(root);
  for (const path of [".donjon-changes", ".donjon-conflict-1"]) {
    assert.throws(() => stageChanges(root, packChanges([{ path, to: "x" }]), marks), {
      code: "files/write",
    });
  }
  assert.deepEqual(listDirectory(root), { a: "1" });
});

test("a whole tree, cut bytes and trailing bytes are refused", (t) => {
  const root = createDirectory(t, { a: "1" });
  const { marks } = scanTree(root);
  const whole = packTree([], { times: false, changes: false }, () => []);
  const good = packChanges([{ path: "a", to: "2" }]);
  for (const bytes of [
    whole,
    good.subarray(0, -1),
    Buffer.concat([good, Buffer.alloc(16)]),
    new Uint8Array(),
  ]) {
    assert.throws(() => stageChanges(root, bytes, marks), { code: /^bytes\// });
  }
  assert.deepEqual(listDirectory(root), { a: "1" });
});

test("a full disk leaves the old tree whole", (t) => {
  const root = mkdtempSync(join(tmpdir(), "donjon-full-"));
  const mount = spawnSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", root], {
    encoding: "utf8",
  });
  t.after(() => {
    spawnSync("umount", [root]);
    rmSync(root, { recursive: true, force: true });
  });
  if (mount.status !== 0) return t.skip(`no tmpfs can be mounted here: ${mount.stderr}`);
  fillDirectory(root, { data: "old" });
  const { marks } = scanTree(root);
  const changes = packChanges([{ path: "data", to: "x".repeat(1 << 20) }]);
  assert.throws(() => stageChanges(root, changes, marks), {
    code: "files/write",
    message: / failed: no space left on device$/,
  });
  assert.deepEqual(listDirectory(root), { data: "old" });
});

test("while another process writes there, reading and writing are refused", (t) => {
  const root = createDirectory(t, { a: "1" });
  const stage = join(root, ".donjon-changes");
  mkdirSync(stage);
  const start = readFileSync("/proc/1/stat", "utf8").split(") ").at(-1)!.split(" ")[19];
  writeFileSync(join(stage, "owner"), `1 ${start}`);
  assert.throws(() => scanTree(root), { code: "files/conflict" });
  writeFileSync(join(stage, "owner"), "1 12345678");
  scanTree(root);
  assert.ok(!existsSync(stage));
});

test("a stage that came with a stranger's tree moves nothing into, out of or through the outside", (t) => {
  const outside = { ".profile": "mine", secret: "mine" };
  const stages: Record<string, [Listing, unknown]> = {
    "a path out": [
      { old: {}, new: {}, x: "evil" },
      { away: ["../secret"], put: ["../x"] },
    ],
    "a path to the stage": [
      { old: {}, new: {} },
      { away: [".donjon-changes/new"], put: [] },
    ],
    "an absolute path": [
      { old: {}, new: {} },
      { away: ["/etc/hostname"], put: [] },
    ],
    "a way out in the tree": [
      { old: {}, new: { door: { ".profile": "evil" } } },
      { away: [], put: ["door/.profile"] },
    ],
    "a new that is elsewhere": [
      { old: {}, new: "@../.." },
      { away: [], put: ["secret"] },
    ],
    "an old that is elsewhere": [
      { old: "@../..", new: {} },
      { away: ["file"], put: [] },
    ],
    "no lists": [
      { old: {}, new: {} },
      { away: "file", put: [1] },
    ],
    "no object": [{ old: {}, new: {} }, null],
  };
  for (const [what, [stage, journal]] of Object.entries(stages)) {
    const tree = {
      file: "f",
      door: "@..",
      ".donjon-changes": { ...stage, journal: JSON.stringify(journal) },
    };
    const home = createDirectory(t, { ...outside, tree });
    assert.throws(() => scanTree(join(home, "tree")), { code: "files/conflict" }, what);
    assert.deepEqual(listDirectory(home), { ...outside, tree }, what);
  }
});

test("a stage that holds a pipe in place of a file does not hang who reads it", (t) => {
  for (const name of ["owner", "journal"]) {
    const root = createDirectory(t, { ".donjon-changes": { old: {}, new: {} } });
    const made = spawnSync("mkfifo", [join(root, ".donjon-changes", name)]);
    assert.equal(made.status, 0);
    const read = () => recoverTree(root);
    if (name === "owner") assert.equal(read(), "removed");
    else assert.throws(read, { code: "files/conflict" });
  }
});

test("changes that wait for their commit are not lost to another run of this process on the same tree", (t) => {
  const root = createDirectory(t, { keep: "same" });
  const { marks } = scanTree(root);
  const staged = stageChanges(root, packChanges([{ path: "first", to: "1" }]), marks);
  const second = packChanges([{ path: "second", to: "2" }]);
  assert.throws(() => stageChanges(root, second, marks), { code: "files/conflict" });
  assert.throws(() => scanTree(join(root, ".")), { code: "files/conflict" });
  staged.commit();
  assert.deepEqual(listDirectory(root), { first: "1", keep: "same" });
  stageChanges(root, second, scanTree(root).marks).discard();
  stageChanges(root, second, scanTree(root).marks).commit();
  assert.deepEqual(listDirectory(root), { first: "1", keep: "same", second: "2" });
});
