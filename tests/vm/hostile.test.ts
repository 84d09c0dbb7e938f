/**
 * A hostile host at both ports. `DONJON_HOSTILE_SECONDS` says how long each of the two tests goes on (10 unless set), and
 * `DONJON_HOSTILE_SEED` with which seed, which a failure names.
 */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { describe, it } from "node:test";
import type { Backend, KeepEnd, StartedKeep } from "@donjon/host/backend/backend";
import { encodeCatGuest, encodeHelloGuest } from "@donjon/testkit/contract/guests";
import { startKeep, startRun } from "@donjon/testkit/contract/keep-fixture";
import { createMutator } from "../fuzz/mutator.ts";
import { residentBytes } from "../support/processes.ts";
import { createStreamAttacks, listFloods, listPipeSeeds, recordSession } from "./hostile.ts";
import { BOOT_MS, findVm, listOwnQemus } from "./support.ts";

const DURATION_MS = Number(process.env["DONJON_HOSTILE_SECONDS"] ?? 10) * 1000;
const SEED = Number(process.env["DONJON_HOSTILE_SEED"] ?? randomInt(2 ** 31));
/**
 * In the second half of the time; in the first the machine touches what it then uses again and again. The emulator's own cache
 * of translated code is in it. A kilobyte lost with each stream would be more within a minute.
 */
const MAX_GROWTH_BYTES = 96 << 20;
/** What must never be on the console. */
const LAST_WORDS = /panic|fatal|defect|cannot be started|out of memory/i;

const vm = await findVm();
const options = { skip: vm.skip, timeout: 2 * DURATION_MS + 240_000 };

describe("a hostile host", options, () => {
  it("breaks its own streams only: another session goes on, and memory does not grow", async (t) => {
    if (vm.skip !== false) return;
    t.diagnostic(`seed ${SEED}, ${DURATION_MS / 1000} s`);
    await using under = startKeep(vm.backend);
    const { run } = startRun(under.gate, encodeCatGuest());
    const echo = createEcho(run);
    await echo("the session works before the first attack");
    const [qemu] = listOwnQemus();
    const seeds = [await recordSession(encodeHelloGuest("x")), new Uint8Array(4096)];
    const attacks = createStreamAttacks(under.gate, seeds, SEED);
    const began = performance.now();
    const deadline = began + DURATION_MS;
    let rounds = 0;
    let half: number | null = null;
    while (performance.now() < deadline || rounds < attacks.length) {
      const attack = attacks[rounds % attacks.length]!;
      await within(BOOT_MS, attack.run(), attack.name);
      await within(BOOT_MS, echo(`${attack.name} ${rounds}`), `echo after: ${attack.name}`);
      rounds += 1;
      if (performance.now() > began + DURATION_MS / 2) half ??= residentBytes(qemu!);
    }
    const growth = residentBytes(qemu!) - half!;
    t.diagnostic(
      `${rounds} attacks, memory grew in the second half by ${(growth / 2 ** 20).toFixed(1)} MiB`,
    );
    assert.ok(growth < MAX_GROWTH_BYTES, `${growth} octets more after ${rounds} attacks`);
    assert.equal((await under.gate.health()).state, "running");
    run.stdin.end();
    run.stdout.resume();
    assert.deepEqual((await run.result).outcome, { kind: "exit", code: 0 });
    assert.deepEqual(
      under.console.filter((line) => LAST_WORDS.test(line)),
      [],
    );
  });

  it("ends the Keep, which never hangs, by what it writes into the pipes", async (t) => {
    if (vm.skip !== false) return;
    t.diagnostic(`seed ${SEED}, ${DURATION_MS / 1000} s`);
    const deadline = performance.now() + DURATION_MS;
    const floods = [...listFloods()];
    const mutator = createMutator(SEED);
    const seeds = listPipeSeeds([await recordSession(encodeHelloGuest("x"))]);
    let keeps = 0;
    const next = (): PipeAttack => {
      const flood = floods[keeps];
      keeps += 1;
      if (flood !== undefined)
        return { name: flood[0], in: flood[1], out: new Uint8Array(0), early: false };
      const early = keeps % 4 === 0;
      return {
        name: `mutation ${keeps}`,
        in: mutator.next(seeds),
        out: mutator.next(seeds),
        early,
      };
    };
    const lane = async () => {
      while (performance.now() < deadline || keeps < floods.length + 2)
        await attackPipes(vm.backend, next());
    };
    await Promise.all([lane(), lane()]);
    t.diagnostic(`${keeps} Keeps`);
    assert.deepEqual(listOwnQemus(), []);
  });
});

interface PipeAttack {
  readonly name: string;
  readonly in: Uint8Array;
  readonly out: Uint8Array;
  /** Sent while the machine boots; otherwise once the Keep has said its first word. */
  readonly early: boolean;
}

/** The Keep ends by itself soon after the host's last word, whatever that was. */
async function attackPipes(backend: Backend, attack: PipeAttack): Promise<void> {
  const lines: string[] = [];
  const keep = backend.start({ onConsole: (line) => lines.push(line) });
  try {
    if (!attack.early) await within(BOOT_MS, firstWord(keep), "the Keep says its first word");
    keep.in.resume();
    keep.out.resume();
    keep.out.write(attack.out);
    await new Promise<void>((resolve) => keep.in.end(attack.in, () => resolve()));
    const end: KeepEnd = await within(BOOT_MS, keep.ended, `the Keep ends after: ${attack.name}`);
    assert.deepEqual(end, { kind: "exited", code: 0 }, `seed ${SEED}, ${attack.name}`);
    assert.deepEqual(
      lines.filter((line) => LAST_WORDS.test(line)),
      [],
      `seed ${SEED}, ${attack.name}`,
    );
  } finally {
    keep.kill();
    await keep.ended;
  }
}

function firstWord(keep: StartedKeep): Promise<void> {
  return new Promise((resolve) => keep.in.once("data", () => resolve()));
}

/** Answers a function that sends a word to the guest and waits until it comes back. */
function createEcho(run: ReturnType<typeof startRun>["run"]): (word: string) => Promise<void> {
  let seen = "";
  let check = (): void => {};
  run.stdout.on("data", (piece: Uint8Array) => {
    seen += Buffer.from(piece).toString("latin1");
    check();
  });
  return (word) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    run.result.catch(reject);
    seen = "";
    check = () => {
      if (seen === word) resolve();
    };
    run.stdin.write(word);
    return promise;
  };
}

async function within<T>(ms: number, work: Promise<T>, what: string): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const late = new Error(`not within ${ms} ms: ${what} (seed ${SEED})`);
  const timer = setTimeout(() => reject(late), ms);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
