/** The one gate before tests: format and lint, types of every package, layers, generated files. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";

const ROOT = dirname(import.meta.dirname);
const bin = (name: string): string => join(ROOT, "node_modules/.bin", name);

interface Step {
  readonly name: string;
  readonly command: readonly string[];
}

function typeSteps(): Step[] {
  const steps: Step[] = [];
  const folders = [
    ...readdirSync(join(ROOT, "packages"))
      .sort()
      .map((name) => `packages/${name}`),
    ".",
  ];
  for (const folder of folders) {
    for (const project of [folder, `${folder}/test`]) {
      if (project !== "./test" && existsSync(join(ROOT, project, "tsconfig.json"))) {
        steps.push({ name: `types ${project}`, command: [bin("tsc"), "-p", project] });
      }
    }
  }
  return steps;
}

const generators = [
  "generate-formats.ts",
  "check-schema.ts",
  "check-tcb.ts",
  "check-size.ts",
  "check-docs.ts",
];
const steps: Step[] = [
  {
    name: "format and lint",
    command: [bin("biome"), "ci", "--error-on-warnings", "--colors=off", "."],
  },
  ...typeSteps(),
  { name: "layers", command: ["sh", "tools/node.sh", "tools/check-layers.ts"] },
  ...generators
    .filter((name) => existsSync(join(ROOT, "tools", name)))
    .map((name) => ({
      name: name.replace(".ts", ""),
      command: ["sh", "tools/node.sh", `tools/${name}`, "--check"],
    })),
];

let failed = 0;
for (const step of steps) {
  const started = performance.now();
  const [command = "", ...args] = step.command;
  const run = spawnSync(command, args, { cwd: ROOT, encoding: "utf8" });
  const ok = run.status === 0;
  if (!ok) failed++;
  console.log(
    `${ok ? "ok  " : "FAIL"}  ${step.name}  ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
  if (!ok) console.log(`${run.stdout}${run.stderr}`.trimEnd().slice(-8000));
}
console.log(
  failed === 0
    ? `check: ${steps.length} steps passed`
    : `check: ${failed} of ${steps.length} steps failed`,
);
process.exitCode = failed === 0 ? 0 : 1;
