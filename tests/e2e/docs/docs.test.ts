import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { cp, readFile, symlink, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { basename, join } from "node:path";
import { type TestContext, test } from "node:test";
import { parseManifest } from "@donjon/protocol/manifest/parse";
import { makeEvidence, makeFakeAmd } from "@donjon/testkit/amd";
import { pem } from "@donjon/testkit/intel";
import { EXIT } from "../../../packages/cli/src/output/exit-codes.ts";
import { parseCodeBlocks, parseTableRows } from "../../../tools/docs/markdown.ts";
import { type Finished, makeFolder } from "../../support/keep.ts";
import { type RunStep, STEPS } from "./steps.ts";

const ROOT = join(import.meta.dirname, "../../..");
/** Of an SNP report (docs/formats/snp-report.md). */
const SNP_MEASUREMENT_OFFSET = 0x90;
/** Its keys take seconds to make. */
const vendor = makeFakeAmd("Milan");
/** npm must find the commands in the folder and nowhere else. */
const ENVIRONMENT = { ...process.env, npm_config_offline: "true", npm_config_loglevel: "error" };

/** Programs of the machine that a page uses; all else comes with the repository. */
const MACHINE_PROGRAMS = ["curl", "openssl"];

/** Why the steps cannot run here; `false` when they can. */
function findMissing(steps: readonly RunStep[]): string | false {
  const missing = MACHINE_PROGRAMS.filter(
    (program) =>
      steps.some(({ command }) => command.startsWith(`${program} `)) &&
      spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0,
  );
  return missing.length === 0 ? false : `not installed: ${missing.join(", ")}`;
}

for (const [page, steps] of Object.entries(STEPS)) {
  const run = steps.filter((step): step is RunStep => "output" in step);
  if (run.length === 0) continue;
  test(`the commands of ${page} do what it says`, { skip: findMissing(run) }, async (t) => {
    const folder = await makeUserFolder(t);
    if (page.includes("attest")) await writeEvidence(folder);
    const ports = new Map<number, number>();
    const servers: { step: RunStep; ended: Promise<Finished> }[] = [];
    for (const step of run) {
      const command = await chooseCommand(t, step, folder, ports);
      const { ended, waitFor } = startShell(t, folder, command, step.stdin);
      if (step.readyWhen === undefined) checkEnd(step, await ended);
      else {
        await waitFor(step.readyWhen);
        servers.push({ step, ended });
      }
    }
    for (const { step, ended } of servers) checkEnd(step, await ended);
  });
}

test("the library's example reads, parses and verifies, and lets nothing pass that is not AMD's", async (t) => {
  const folder = await makeUserFolder(t);
  await writeEvidence(folder);
  const page = await readFile(join(ROOT, "packages/attest/README.md"), "utf8");
  const [block] = parseCodeBlocks(page).filter(({ language }) => language === "js");
  await writeFile(join(folder, "example.mjs"), block!.text);
  const engine = `${process.execPath} --conditions=source`;
  const { code, stdout, stderr } = await startShell(t, folder, `${engine} example.mjs`).ended;
  assert.deepEqual([code, stdout], [1, ""], stderr);
  assert.match(stderr, /AttestError[\s\S]*reason: 'snp\/(?:root|chain|certificate-signature)'/);
});

test("the manifest that docs/manifest.md shows is one, once its digests are whole", async () => {
  const page = await readFile(join(ROOT, "docs/manifest.md"), "utf8");
  const [block] = parseCodeBlocks(page).filter(({ language }) => language === "toml");
  const whole = block!.text.replaceAll(
    /"([0-9a-f]{8})\.\.\."/g,
    (_, head) => `"${head.repeat(8)}"`,
  );
  const manifest = parseManifest(new TextEncoder().encode(whole), { draft: true });
  assert.equal(manifest.workload.file, "app.wasm");
  assert.equal(manifest.limits.memoryBytes, 512 * 2 ** 20);
  assert.deepEqual(
    manifest.secrets.map(({ name }) => name),
    ["API_KEY", "db-key", "tls-cert", "tls-key"],
  );
});

test("docs/manifest.md lists every exit code of a run and no other", async () => {
  const rows = parseTableRows(await readFile(join(ROOT, "docs/manifest.md"), "utf8"));
  const listed = rows.flatMap(
    ([codes = ""]) => codes.match(/^\d{3}(?:, \d{3})*$/)?.[0].split(", ") ?? [],
  );
  const evidence: readonly number[] = [EXIT.ok, EXIT.different, EXIT.usage];
  const wanted = Object.values(EXIT).filter((code) => !evidence.includes(code));
  assert.deepEqual(listed.map(Number).sort(), wanted.sort());
});

/** What someone has after `npm start`: the examples and the installed commands, in a folder of their own. */
async function makeUserFolder(t: TestContext): Promise<string> {
  const folder = await makeFolder(t);
  await cp(join(ROOT, "examples"), join(folder, "examples"), {
    recursive: true,
    filter: (path) => !["node_modules", ".cache"].includes(basename(path)),
  });
  for (const name of ["package.json", "LICENSE"]) await cp(join(ROOT, name), join(folder, name));
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  return folder;
}

/** The files that packages/attest/README.md names, with made-up evidence in them. */
async function writeEvidence(folder: string): Promise<void> {
  const amd = await vendor;
  const { report, certificates, crls } = await makeEvidence(amd, { version: 5, signer: "vcek" });
  const other = report.slice();
  other[SNP_MEASUREMENT_OFFSET]! ^= 1;
  const files = {
    "report.bin": report,
    "other.bin": other,
    "vcek.der": certificates[0]!,
    "milan.crl": crls[0]!,
    "chain.pem": pem(amd.ask.certificate),
    "ark.pem": pem(amd.ark.certificate),
    "policy.toml": `report_data = "any"\n[snp]\nmeasurement = "any"\n`,
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
}

/** The step's command, or what stands in for it here, with its ports moved. */
async function chooseCommand(
  t: TestContext,
  step: RunStep,
  folder: string,
  moved: Map<number, number>,
): Promise<string> {
  let command = step.command + (step.append ?? "");
  if (step.needs && (await startShell(t, folder, step.needs.probe).ended).code !== 0) {
    t.diagnostic(
      `NOT RUN: '${step.command}' (${step.needs.probe}); '${step.needs.instead}' instead`,
    );
    command = step.needs.instead;
  }
  for (const port of step.ports ?? []) {
    const free = moved.get(port) ?? (await findPort());
    moved.set(port, free);
    command = command.replaceAll(`:${port}`, `:${free}`);
    const example = /examples\/[a-z-]+/.exec(command)?.[0];
    if (example !== undefined) await movePort(join(folder, example), port, free);
  }
  return command;
}

async function movePort(example: string, from: number, to: number): Promise<void> {
  for (const name of ["donjon.toml", "Enarx.toml"]) {
    const text = await readFile(join(example, name), "utf8").catch(() => null);
    if (text === null || text.includes(`port = ${to}`)) continue;
    assert.ok(text.includes(`port = ${from}`), `${name} names port ${from}`);
    await writeFile(join(example, name), text.replaceAll(`port = ${from}`, `port = ${to}`));
  }
}

/** A port that was free a moment ago. */
async function findPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function checkEnd(step: RunStep, { code, stdout, stderr }: Finished): void {
  const output = `${stdout}${stderr}`;
  assert.equal(code, step.code ?? 0, `'${step.command}' printed:\n${output}`);
  assert.match(output, step.output, `'${step.command}' printed:\n${output}`);
}

interface Shell {
  readonly ended: Promise<Finished>;
  /** Resolves when stdout and stderr so far hold `text`; rejects when the command ends before. */
  waitFor(text: string): Promise<void>;
}

/** A line as a shell runs it; it and what it started are killed when the test ends. */
function startShell(t: TestContext, cwd: string, line: string, stdin = ""): Shell {
  // Keys and simulated roots stay in the folder.
  const own = {
    XDG_CONFIG_HOME: join(cwd, ".config"),
    XDG_STATE_HOME: join(cwd, ".state"),
    XDG_RUNTIME_DIR: join(cwd, ".run"),
  };
  const env = { ...ENVIRONMENT, ...own };
  const child = spawn("/bin/sh", ["-c", line], { cwd, env, detached: true });
  const output = { stdout: "", stderr: "" };
  const waiting = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
      for (const look of waiting) look();
    });
  }
  const ended = new Promise<Finished>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, ...output }));
  });
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, "SIGKILL");
    await ended;
  });
  // A program need not read its input.
  child.stdin.on("error", () => {}).end(stdin);
  const waitFor = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (`${output.stdout}${output.stderr}`.includes(text)) resolve();
      };
      waiting.add(look);
      child.on("close", () => reject(new Error(`'${line}' ended: ${output.stderr}`)));
      look();
    });
  return { ended, waitFor };
}
