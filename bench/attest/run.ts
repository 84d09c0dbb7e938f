/**
 * The verifier beside its peers, in one run: what each accepts that it should not, and verifications a second.
 * Usage: sh bench/attest/set-up.sh && sh tools/node.sh bench/attest/run.ts [--rounds N] [--ms N] [--check-only]
 * Prints what goes into bench/RESULTS.md, section "Verifier". Needs the vectors (DONJON_VECTORS).
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { formatTable, median } from "../lib/stats.ts";
import { type Case, createCases } from "./cases.ts";

const CACHE = join(import.meta.dirname, "../.cache/attest");
const NODE = [process.execPath, "--conditions=source", join(import.meta.dirname, "ours.ts")];
const JS = [process.execPath, join(CACHE, "js/peer.mjs")];

interface Peer {
  readonly name: string;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly kinds: readonly Case["kind"][];
  /** Only its speed is another. */
  readonly speedOnly?: boolean;
  /** Where it refuses the genuine evidence, its speed is measured with less checked, and says so. */
  readonly fallsBack?: boolean;
}

const QUOTES = ["tdx", "sgx"] as const;
const PEERS: readonly Peer[] = [
  { name: "@donjon/attest", command: NODE, kinds: ["snp", ...QUOTES] },
  {
    name: "@donjon/attest, one cache",
    command: NODE,
    env: { CACHED: "1" },
    kinds: ["snp", ...QUOTES],
    speedOnly: true,
  },
  {
    name: "@donjon/attest, one cache, 8 under way",
    command: NODE,
    env: { CACHED: "1", IN_FLIGHT: "8" },
    kinds: ["snp", ...QUOTES],
    speedOnly: true,
  },
  { name: "@phala/dcap-qvl 0.3.9 (JS)", command: JS, kinds: QUOTES },
  { name: "@phala/dcap-qvl-web 0.3.3 (wasm)", command: JS, env: { PEER: "wasm" }, kinds: QUOTES },
  {
    name: "go-sev-guest 0.15.0, go-tdx-guest 0.3.1",
    command: [join(CACHE, "bin/go-peer")],
    kinds: ["snp", "tdx"],
    fallsBack: true,
  },
  {
    name: "crates sev 8.0.0, dcap-qvl 0.7.1",
    command: [join(CACHE, "bin/rust-peer")],
    kinds: ["snp", ...QUOTES],
  },
];

interface Answer {
  readonly id: string;
  readonly accepted: boolean;
  readonly says: string;
}

function run({ command, env }: Peer, ...args: readonly string[]): string {
  const [program = "", ...first] = command;
  const { status, stdout, stderr } = spawnSync(program, [...first, ...args], {
    encoding: "utf8",
    env: { ...process.env, ...env },
    maxBuffer: 1 << 26,
  });
  if (status !== 0)
    throw new Error(`${command.join(" ")} ${args[0]} failed: ${stderr.slice(0, 2000)}`);
  return stdout;
}

type Answers = ReadonlyMap<Peer, ReadonlyMap<string, Answer>>;

function ask(file: string): Answers {
  const asked = PEERS.filter(({ speedOnly }) => speedOnly !== true);
  return new Map(
    asked.map((peer) => {
      const lines = run(peer, "check", file).trim().split("\n");
      const answers = lines.map((line): Answer => JSON.parse(line));
      return [peer, new Map(answers.map((answer) => [answer.id, answer]))] as const;
    }),
  );
}

/** `undefined` when the peer does not know the kind, or refuses the genuine evidence that the bad one was made from. */
function judge(answers: Answers, peer: Peer, one: Case): boolean | undefined {
  const answer = answers.get(peer)?.get(one.id);
  if (answer === undefined || !peer.kinds.includes(one.kind) || answer.says.includes("SKIP"))
    return undefined;
  const baseline = answers.get(peer)?.get(one.group)?.accepted === true;
  return one.genuine || baseline ? answer.accepted === one.genuine : undefined;
}

function tableOfChecks(cases: readonly Case[], answers: Answers, made: boolean): string {
  const peers = [...answers.keys()];
  const rows = cases
    .filter(({ id }) => id.includes("made up") === made)
    .map((one) => ({ one, verdicts: peers.map((peer) => judge(answers, peer, one)) }))
    // Of the many made-up cases only those that tell peers apart have a line of their own.
    .filter(({ verdicts }) => !made || verdicts.includes(false))
    .map(({ one, verdicts }) => [
      `${one.genuine ? "genuine: " : ""}${one.id}`,
      ...verdicts.map((good) =>
        good === undefined ? "" : good ? "ok" : one.genuine ? "**refused**" : "**accepted**",
      ),
    ]);
  return formatTable(["Evidence", ...peers.map(({ name }) => name)], rows);
}

function tableOfCounts(cases: readonly Case[], answers: Answers): string {
  const rows = [...answers.keys()].map((peer) => {
    const count = (genuine: boolean, good: boolean) =>
      cases.filter((one) => one.genuine === genuine && judge(answers, peer, one) === good).length;
    const of = (genuine: boolean) =>
      `${count(genuine, true)} of ${count(genuine, true) + count(genuine, false)}`;
    return [peer.name, of(true), of(false), String(count(false, false))];
  });
  return formatTable(["Verifier", "genuine accepted", "bad refused", "bad accepted"], rows);
}

const SPEED = ["SNP v3 Milan", "SNP v3 Genoa", "TDX v4", "SGX v3"];

function tableOfSpeed(
  file: string,
  cases: readonly Case[],
  answers: Answers,
  rounds: number,
  ms: number,
): string {
  const rows = PEERS.map((peer) => [
    peer.name,
    ...SPEED.map((id) => {
      const one = cases.find((candidate) => candidate.id === id)!;
      const asked = answers.get(peer) ?? answers.get(PEERS[0]!)!;
      const accepted = asked.get(id)?.accepted === true;
      if (!peer.kinds.includes(one.kind) || !(accepted || peer.fallsBack)) return "";
      const { rounds: times, note = "" } = JSON.parse(
        run(peer, "speed", file, id, String(rounds), String(ms)),
      );
      const middle = median(times);
      console.error(`${peer.name}, ${id}: ${middle.toFixed(3)} ms`);
      return `${middle.toFixed(2)} ms, ${(1000 / middle).toFixed(0)}/s${note && ` (${note})`}`;
    }),
  ]);
  return formatTable(["Verifier", ...SPEED], rows);
}

const { values } = parseArgs({
  options: {
    rounds: { type: "string" },
    ms: { type: "string" },
    "check-only": { type: "boolean" },
  },
});
const rounds = Number(values.rounds ?? 7);
const ms = Number(values.ms ?? 700);
mkdirSync(CACHE, { recursive: true });
const file = join(CACHE, "cases.json");
const cases = await createCases();
writeFileSync(file, JSON.stringify(cases));
const answers = ask(file);
writeFileSync(
  join(CACHE, "answers.json"),
  JSON.stringify(
    [...answers].map(([{ name }, map]) => [name, [...map.values()]]),
    null,
    1,
  ),
);
const load = () =>
  loadavg()
    .map((one) => one.toFixed(2))
    .join(" ");
console.log(
  `${cases.length} cases; ${cpus()[0]?.model ?? "unknown"}, ${cpus().length} cores; Node ${process.version}; load before ${load()}\n`,
);
console.log(`${tableOfCounts(cases, answers)}\n`);
console.log(`${tableOfChecks(cases, answers, false)}\n`);
console.log(`${tableOfChecks(cases, answers, true)}\n`);
if (values["check-only"] !== true)
  console.log(`${tableOfSpeed(file, cases, answers, rounds, ms)}\n\nLoad after: ${load()}`);
