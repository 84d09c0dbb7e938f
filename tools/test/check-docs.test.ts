import assert from "node:assert/strict";
import { test } from "node:test";
import { checkDocs } from "../check-docs.ts";
import { checkCommands, checkMentions } from "../docs/commands.ts";
import { checkDependencies, listPackages } from "../docs/dependencies.ts";
import { formatLayerTable, replaceLayerTable } from "../docs/layer-table.ts";
import { checkLinks, checkPlaces, checkSources } from "../docs/links.ts";
import { parseAnchors, parseCodeBlocks, parseCommands, parseTableRows } from "../docs/markdown.ts";
import { checkNamedTests } from "../docs/named-tests.ts";
import { LAYERS } from "../layers.ts";

const page = (text: string, path = "docs/a.md") => ({ path, text });
const sh = (...lines: string[]): string => `Text.\n\n\`\`\`sh\n${lines.join("\n")}\n\`\`\`\n`;

test("the pages of the repository have no problem", () => {
  assert.deepEqual(checkDocs(), []);
});

test("parseCommands takes one command a line, without comments, and joins continued lines", () => {
  const [block] = parseCodeBlocks(sh("# first", "one a#b   # why", "", "two \\", "  three"));
  assert.equal(block!.line, 3);
  assert.deepEqual(parseCommands(block!), ["one a#b", "two three"]);
});

test("parseAnchors makes GitHub's anchors and leaves blocks out", () => {
  const text = "# A `b`: C, d!\n\n```sh\n# no head\n```\n## Same\n## Same\n";
  assert.deepEqual([...parseAnchors(text)], ["a-b-c-d", "same", "same-1"]);
});

test("parseTableRows leaves heads and rules out and keeps bars that are escaped", () => {
  assert.deepEqual(parseTableRows("| A | B |\n|---|---|\n| a \\| b | c |\n"), [["a \\| b", "c"]]);
});

test("checkLinks finds links and anchors that lead nowhere", () => {
  const files = ["docs/a.md", "docs/b.md", "src/x/y.ts"];
  const good = page(
    "# Top\n[1](b.md#head) [2](../src/x/) [3](#top) [4](https://github.com) `[5](no)`",
  );
  const other = page("# Head\n", "docs/b.md");
  assert.deepEqual(checkLinks([good, other], files), []);
  const bad = page("[1](c.md) [2](b.md#tail) [3](#top) [4](../../b.md)");
  assert.equal(checkLinks([bad, other], files).length, 4);
});

test("checkPlaces finds hosts that are not allowed, registries and paths of one machine", () => {
  assert.deepEqual(
    checkPlaces([page("http://127.0.0.1:80/ https://db.example/ /etc/passwd ../work/a")]),
    [],
  );
  const strange = ["https://", "packages.", "test"].join("");
  const registry = ["registry", "some", "where"].join(".");
  const folder = ["", "home", "me", "x"].join("/");
  for (const text of [strange, registry, folder])
    assert.equal(checkPlaces([page(`see ${text} there`)]).length, 1, text);
});

test("checkSources finds sources that a page names and that are not there", () => {
  const files = ["packages/a/src/b/c.ts", "packages/a/src/d.ts"];
  const check = (code: string) => checkSources(page(`In \`${code}\`.`), ["a"], files);
  for (const good of ["a/b", "a/b/c", "a/d", "x/y", "a"]) assert.deepEqual(check(good), [], good);
  for (const bad of ["a/c", "a/b/d", "a/d/e"])
    assert.match(check(bad)[0]!, /there are no sources/, bad);
});

test("checkCommands wants a test for every command, a page for every test, and their order", () => {
  const steps = {
    "docs/a.md": [
      { command: "one", output: /x/ },
      { command: "npm test", kind: "script", why: "it is this" },
    ],
  } as const;
  const scripts = { test: "x" };
  const check = (text: string, known = scripts as Record<string, string>) =>
    checkCommands([page(text)], steps, known);
  assert.deepEqual(check(sh("one", "npm test")), []);
  assert.match(check(sh("one", "npm test", "two"))[0]!, /no test runs 'two'/);
  assert.match(check(sh("one"))[0]!, /does not show 'npm test'/);
  assert.match(check(sh("npm test", "one"))[0]!, /another order/);
  assert.match(check(sh("one", "npm test"), {})[0]!, /no script/);
  assert.match(check(`${sh("one", "npm test")}\n\`\`\`\ntwo\n\`\`\`\n`)[0]!, /a block is/);
  assert.match(check(`${sh("one", "npm test")}\n    two\n`)[0]!, /indented/);
  assert.match(checkCommands([], steps, scripts)[0]!, /no page docs\/a\.md/);
});

test("checkCommands finds a transcript's command that is not in the tour", () => {
  const block = (...lines: string[]): string => `\`\`\`console\n${lines.join("\n")}\n\`\`\`\n`;
  const tour = { path: "docs/tour.md", text: block("$ one  # leave it running", "said", "$ two") };
  const check = (text: string) => checkCommands([tour, page(text)], {}, {});
  assert.deepEqual(check(block("$ two", "$ one")), []);
  assert.match(check(block("$ two", "$ three", "said"))[0]!, /docs\/tour\.md has no 'three'/);
});

test("checkMentions finds scripts, files, commands and options that do not exist", () => {
  const check = (code: string) =>
    checkMentions([page(`Say \`${code}\`.`)], { test: "x", bench: "y" }, ["a/b.sh"]);
  const good = ["npm test -- wasi", "npm run bench", "sh a/b.sh", "sh FILE.ts", "donjon help run"];
  for (const code of [...good, "npx donjon run --insecure a.wasm -- --own", "donjon"])
    assert.deepEqual(check(code), [], code);
  const bad = [
    "npm run nothing",
    "sh a/c.sh",
    "donjon fly",
    "donjon run --insecur x",
    "donjon help fly",
  ];
  for (const code of bad) assert.equal(check(code).length, 1, code);
});

test("the layer table has a row for every layer and is replaced as a whole", () => {
  const old = "# A\n\n## Layers\n\nWords.\n\n| x |\n|---|\n| y |\n\nMore.\n";
  const made = replaceLayerTable(old, LAYERS);
  assert.equal(made, `# A\n\n## Layers\n\nWords.\n\n${formatLayerTable(LAYERS)}\n\nMore.\n`);
  assert.equal(parseTableRows(made).length, Object.keys(LAYERS).length);
  assert.equal(replaceLayerTable(made, LAYERS), made);
  assert.throws(() => replaceLayerTable("# A\n", LAYERS), /no table/);
});

test("checkDependencies compares names, versions and users with every package.json", () => {
  const used = [
    ...listPackages("packages/x/package.json", {
      dependencies: { "@donjon/core": "1", a: "1.0.0" },
    }),
    ...listPackages("package.json", { devDependencies: { "@b/c": "2.0.0" } }),
  ];
  const table = (...rows: string[]): string => `| P | U | W |\n|---|---|---|\n${rows.join("\n")}\n`;
  const a = "| `a` 1.0.0 | x | reads what is hard to read |";
  const b = "| `@b/c` 2.0.0 | workspace | builds what is hard to build |";
  assert.deepEqual(checkDependencies(table(a, b), used), []);
  assert.match(checkDependencies(table(a), used)[0]!, /@b\/c 2\.0\.0 in workspace is not listed/);
  assert.equal(checkDependencies(table(a, b.replace("2.0", "2.1")), used).length, 2);
  assert.match(checkDependencies(table(a, b.replace(/builds.*build/, "")), used)[0]!, /no reason/);
  assert.match(checkDependencies(table(a, b), used.slice(0, 1))[0]!, /not used/);
});

test("checkNamedTests finds tests that a page names and that are not there, and files that it leaves out", () => {
  const files = ["tests/a.test.ts", "tests/b.test.ts", "tests/support.ts"];
  const sources: Readonly<Record<string, string>> = {
    "tests/a.test.ts": 'test("one holds", () => {}); test("{x} two: {y}", () => {});',
    "tests/b.test.ts": 'test("three", () => {});',
  };
  const check = (...lines: string[]) =>
    checkNamedTests(page(lines.join("\n"), "S.md"), files, ["tests/"], (path) => sources[path]!);
  const [one, two, three] = [
    "a.test.ts): *one holds*",
    "a.test.ts): *two*",
    "b.test.ts): *three*",
  ].map((rest) => `- [T](tests/${rest}`) as [string, string, string];
  assert.deepEqual(check(one, two, three), []);
  assert.deepEqual(check(one, two), ["S.md: no promise names tests/b.test.ts"]);
  assert.deepEqual(check(one, three.replace("three", "ree")), [
    "S.md: tests/b.test.ts has no test 'ree'",
  ]);
});
