import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLayers, importsOf, violation } from "../check-layers.ts";
import { LAYERS } from "../layers.ts";

const facts = { name: "wasi", folder: "/r/packages/wasi", declared: new Set(["@donjon/core"]) };
const file = "/r/packages/wasi/src/p1/clock.ts";
const wasi = LAYERS["wasi"]!;

test("importsOf finds every form of import and none in comments", () => {
  const source = `import a from "a";\nimport type { B } from './b.ts';\nexport * from "c";\n// import "no";\n/* import "no2" */\nconst d = await import("d"); require("e");\nimport "f";\nchecks.require("no3", x);`;
  assert.deepEqual(importsOf(source).sort(), ["./b.ts", "a", "c", "d", "e", "f"]);
});

test("violation allows what the layer names and refuses the rest", () => {
  assert.equal(violation(facts, wasi, file, "@donjon/core/errors"), null);
  assert.equal(violation(facts, wasi, file, "../errno.ts"), null);
  assert.match(violation(facts, wasi, file, "@donjon/keep/x") ?? "", /does not allow/);
  assert.match(violation(facts, wasi, file, "node:fs") ?? "", /no platform/);
  assert.match(violation(facts, wasi, file, "fs") ?? "", /no platform/);
  assert.match(violation(facts, wasi, file, "lodash") ?? "", /does not allow/);
  assert.match(
    violation(facts, wasi, file, "../../../keep/src/main.ts") ?? "",
    /leaves its package/,
  );
  assert.match(
    violation({ ...facts, declared: new Set() }, wasi, file, "@donjon/core/errors") ?? "",
    /without declaring/,
  );
});

test("no layer may import a layer of its own or a higher level, except the sides named", () => {
  const rank = { L0: 0, L1: 1, L2: 2, L3: 3, aside: 4 };
  for (const [name, layer] of Object.entries(LAYERS)) {
    for (const other of layer.packages) {
      const below = rank[LAYERS[other]!.level] < rank[layer.level];
      assert.ok(
        below,
        `${name} (${layer.level}) may not import ${other} (${LAYERS[other]!.level})`,
      );
    }
  }
});

test("keep and host are strangers", () => {
  assert.ok(!LAYERS["keep"]!.packages.includes("host"));
  assert.ok(!LAYERS["host"]!.packages.includes("keep"));
});

test("the repository keeps the rule", () => {
  assert.deepEqual(checkLayers(new URL("../..", import.meta.url).pathname), []);
});
