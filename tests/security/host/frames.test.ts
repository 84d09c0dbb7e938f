/** Hosts that drop, duplicate, reorder, truncate and change what passes between client and Keep, at every stage. */
import assert from "node:assert/strict";
import type { Duplex } from "node:stream";
import { after, describe, test } from "node:test";
import { openAttestedSession } from "@donjon/client/attested/open";
import type { Run } from "@donjon/client/session";
import { MUX_KIND } from "@donjon/protocol/gate/mux-frame";
import fc from "fast-check";
import {
  changeUnits,
  FAULTS,
  flipBit,
  GATE_FRAME,
  injectFault,
  TLS_RECORD,
} from "./support/faults.ts";
import { type HostileHost, readAll, startHost } from "./support/hostile-host.ts";
import { findPiece } from "./support/planted.ts";
import { assertRefuses, createSetting, deliver } from "./support/setting.ts";
import { tamper } from "./support/tampered.ts";

const setting = await createSetting();
const start = (more: object = {}) => {
  const started = startHost({ answer: setting.createAnswer(() => started.keep), ...more });
  return started;
};
/** Stays new: no session with a fault in it may provision. */
const host = start();
after(() => host[Symbol.asyncDispose]());
const verify = await setting.createVerifier(host.keep);

const DIRECTIONS = ["forth", "back"] as const;
/** Long enough for a session without faults; a fault may be that nothing comes any more. */
const PATIENCE_MS = 400;
const BROKEN = [{ code: "session/closed" }, { code: "session/timeout" }] as const;
/** A record that carries nothing and that both sides ignore (RFC 8446, section 5). */
const CHANGE_CIPHER_SPEC = 20;

/** Indexes of the records of one good session up to the accepted evidence, but those that both sides ignore. */
async function listRecords(): Promise<Record<(typeof DIRECTIONS)[number], number[]>> {
  const seen = { forth: [] as number[], back: [] as number[] };
  const note = (direction: (typeof DIRECTIONS)[number]) =>
    changeUnits(TLS_RECORD, (record, index) => {
      if (record[0] !== CHANGE_CIPHER_SPEC) seen[direction].push(index);
      return [record];
    });
  const stream = tamper(host.call(), { forth: note("forth"), back: note("back") });
  const options = { identity: setting.owner, verify, expect: "new" } as const;
  const session = await openAttestedSession(stream, options);
  // Closing sends a record that no longer counts.
  const counted = { forth: [...seen.forth], back: [...seen.back] };
  session.close();
  return counted;
}
const records = await listRecords();

describe("before the evidence is accepted, a host", () => {
  for (const fault of FAULTS) {
    test(`that does this to any one TLS record gets nothing: ${fault}`, async () => {
      for (const direction of DIRECTIONS) {
        // Twice the last one: the first was evidence, and accepted. What becomes of that is below.
        const until = fault === "duplicate" ? -1 : undefined;
        for (const at of records[direction].slice(0, until)) {
          const inner: Duplex = host.call();
          const injected = injectFault(TLS_RECORD, at, fault, () => inner.destroy());
          const stream = tamper(inner, { [direction]: injected });
          await assertRefuses(setting, { stream, verify, timeoutMs: PATIENCE_MS }, BROKEN);
        }
      }
      assert.equal(await host.health(), "new");
    });
  }

  test("that changes any octets of any record of the Keep gets nothing", async () => {
    const place = fc.record({
      at: fc.constantFrom(...records.back),
      place: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      bit: fc.integer({ min: 0, max: 7 }),
    });
    await fc.assert(
      fc.asyncProperty(place, async ({ at, place, bit }) => {
        const back = changeUnits(TLS_RECORD, (record, index) =>
          index === at ? [flipBit(record, Math.floor(place * record.length), bit)] : [record],
        );
        const stream = tamper(host.call(), { back });
        await assertRefuses(setting, { stream, verify, timeoutMs: PATIENCE_MS }, BROKEN);
      }),
      { numRuns: 40 },
    );
    assert.equal(await host.health(), "new");
  });

  test("that says noise of its own, or the client's own records, gets nothing", async () => {
    const noise = fc.uint8Array({ minLength: 1, maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(noise, async (bytes) => {
        let said = false;
        const inner = host.call();
        const back = (piece: Buffer) => {
          const first = !said;
          said = true;
          return first ? [bytes, piece] : [piece];
        };
        const visit = { stream: tamper(inner, { back }), verify, timeoutMs: PATIENCE_MS };
        await assertRefuses(setting, visit, BROKEN);
      }),
      { numRuns: 20 },
    );
    const { duplexPair } = await import("node:stream");
    const [stream, mirror] = duplexPair();
    mirror.pipe(mirror);
    await assertRefuses(setting, { stream, verify, timeoutMs: PATIENCE_MS }, BROKEN);
  });
});

describe("after the evidence was accepted, a host", () => {
  /** Records of the client after which everything is provision. */
  const first = records.forth.at(-1)! + 1;

  const ways = [
    ["in the gate's frames", (own: HostileHost) => own.call()],
    ["on the lane", (own: HostileHost) => own.callLane()],
  ] as const;
  for (const [fault, [way, open]] of FAULTS.flatMap((each) =>
    ways.map((way) => [each, way] as const),
  )) {
    test(`that does this to the upload gets nothing, and the Keep runs nothing: ${fault} ${way}`, async () => {
      for (const at of [first, first + 2]) {
        await using own = start();
        const inner = open(own);
        const forth = injectFault(TLS_RECORD, at, fault, () => inner.destroy());
        const { run } = await deliver(setting, { stream: tamper(inner, { forth }), verify });
        run.stdin.end(setting.planted.stdin);
        assert.equal((await settle(run, own)).code, "session/closed");
        assertUnread(own.recorded);
        await assert.rejects(run.started, { code: "session/closed" });
      }
    });

    test(`that does this to the Keep's answers makes the client believe nothing false: ${fault} ${way}`, async () => {
      await using own = start();
      const inner = open(own);
      const at = records.back.at(-1)! + 1;
      const back = injectFault(TLS_RECORD, at, fault, () => inner.destroy());
      const { run } = await deliver(setting, { stream: tamper(inner, { back }), verify });
      run.stdin.end(setting.planted.stdin);
      const output = readAll(run.stdout).catch(() => Buffer.alloc(0));
      assert.equal((await settle(run, own)).code, "session/closed");
      const seen = await output;
      assert.deepEqual(seen, Buffer.from(setting.planted.stdin).subarray(0, seen.length));
      assertUnread(own.recorded);
    });
  }
});

describe("a host that speaks the gate's protocol wrongly", () => {
  /** Frames of the host until the first data of the session, by kind: preface, open, (credit,) data. */
  const kinds = [MUX_KIND.preface, MUX_KIND.open, MUX_KIND.data];

  for (const fault of FAULTS) {
    test(`gets nothing, of client or Keep: ${fault}`, async () => {
      for (const kind of kinds) {
        const own = start({
          pipe: { forth: faultOnFirst(kind, fault, () => own.keep.in.destroy()) },
        });
        await using _ = own;
        const visit = { stream: own.call(), verify, timeoutMs: PATIENCE_MS };
        await assertRefuses(setting, visit, [...BROKEN, { code: "gate/refused" }]);
        assertUnread(own.recorded);
      }
    });
  }
});

/** How the run failed. What waits for a record that never comes ends with the Keep, which this host kills then. */
async function settle(run: Run, { keep }: HostileHost): Promise<{ readonly code: string }> {
  const timer = setTimeout(() => keep.kill(), PATIENCE_MS);
  const error = await run.result.then(
    () => assert.fail("the run went well"),
    (cause: { readonly code: string }) => cause,
  );
  clearTimeout(timer);
  return error;
}

function faultOnFirst(kind: number, fault: (typeof FAULTS)[number], onTruncated: () => void) {
  let at = -1;
  let index = -1;
  const find = changeUnits(GATE_FRAME, (frame) => {
    index += 1;
    if (at === -1 && frame[0] === kind) at = index;
    return [frame];
  });
  let inject: ReturnType<typeof injectFault> | null = null;
  let passed = 0;
  return (piece: Buffer) => {
    const frames = find(piece);
    const out: Uint8Array[] = [];
    for (const frame of frames) {
      const isIt = at !== -1 && passed === at;
      if (isIt) inject = injectFault(GATE_FRAME, 0, fault, onTruncated);
      out.push(...(inject === null ? [frame] : inject(Buffer.from(frame))));
      passed += 1;
    }
    return out;
  };
}

function assertUnread(recorded: readonly Buffer[]): void {
  assert.equal(findPiece(Buffer.concat(recorded), setting.planted), undefined);
}
