/** What every test of hostile hosts begins with: a machine's simulated security processor, an owner, a policy. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { after } from "node:test";
import { AttestError } from "@donjon/attest/errors";
import { chooseErrorExit } from "@donjon/cli/output/exit-codes";
import { type ClientIdentity, createClientIdentity } from "@donjon/client/attested/identity";
import {
  type AttestedSession,
  type ExpectedKeep,
  openAttestedSession,
  type Verifier,
} from "@donjon/client/attested/open";
import { createSimulatedVerifier } from "@donjon/client/attested/verifier";
import { DonjonError } from "@donjon/core/errors";
import type { StartedKeep } from "@donjon/host/backend/backend";
import { openSecurityProcessor, type SecurityProcessor } from "@donjon/simtee/security-processor";
import { type AnswerEvidence, encodeAnswer } from "./hostile-host.ts";
import { createPlanted, findPiece, type Planted, WORKLOAD_BYTES } from "./planted.ts";
import { keepIn, tamper } from "./tampered.ts";

/** Time that a client of these tests gives a Keep. */
export const PATIENCE_MS = 10_000;
/** Time that this machine may take on top, with other tests beside. */
const SLACK_MS = 10_000;

export interface Setting {
  /** Directory of the security processor. */
  readonly folder: string;
  readonly processor: SecurityProcessor;
  readonly owner: ClientIdentity;
  readonly planted: Planted;
  /** Accepts what was really launched. */
  createVerifier(keep: StartedKeep, more?: { readonly now?: () => Date }): Promise<Verifier>;
  /** What an honest host answers. */
  createAnswer(keep: () => StartedKeep): AnswerEvidence;
}

/** Made once for a test file: the processor's keys take a second. */
export async function createSetting(): Promise<Setting> {
  const folder = mkdtempSync(join(tmpdir(), "donjon-hostile-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const processor = await openSecurityProcessor(folder);
  return {
    folder,
    processor,
    owner: createClientIdentity(Date.now()),
    planted: createPlanted(),
    async createVerifier(keep, more = {}) {
      const { measurement } = await keep.measure();
      const pinned = Buffer.from(measurement).toString("hex");
      const policy = { sgx: { mrEnclave: [pinned] } };
      return createSimulatedVerifier(processor.trust, { policy, ...more });
    },
    createAnswer: (keep) => async (stream, reportData) => {
      const { kind, evidence, auxiliary } = await processor.createEvidence(
        await keep().measure(),
        reportData,
      );
      stream.end(encodeAnswer({ tee: kind, evidence, auxiliary }));
    },
  };
}

export interface Visit {
  readonly stream: Duplex;
  readonly verify: Verifier;
  readonly expect?: ExpectedKeep;
  readonly timeoutMs?: number;
}

/** What every user does: attest, and only then provision. */
export async function deliver(
  { owner, planted }: Setting,
  { stream, verify, expect = "new", timeoutMs = PATIENCE_MS }: Visit,
): Promise<{
  readonly session: AttestedSession;
  readonly run: ReturnType<AttestedSession["provision"]>;
}> {
  const options = { identity: owner, verify, expect, timeoutMs };
  const session = await openAttestedSession(stream, options);
  return { session, run: session.provision(planted.provision) };
}

export interface Refusal {
  readonly code: string;
  readonly reason?: string;
  readonly message?: RegExp;
}

/** The client refuses, in time, with this error; nothing of what it had to deliver has gone anywhere. */
export async function assertRefuses(
  setting: Setting,
  visit: Visit,
  wanted: Refusal | readonly Refusal[],
): Promise<DonjonError> {
  const sent: Buffer[] = [];
  const stream = tamper(visit.stream, { forth: keepIn(sent) });
  const started = performance.now();
  const error = await deliver(setting, { ...visit, stream }).then(
    () => assert.fail("the client delivered what it had"),
    (cause: unknown) => cause,
  );
  assert.ok(error instanceof DonjonError, String(error));
  const took = performance.now() - started;
  assert.ok(took < (visit.timeoutMs ?? PATIENCE_MS) + SLACK_MS, `the refusal took ${took} ms`);
  const all = Array.isArray(wanted) ? wanted : [wanted];
  const { code, message } = error;
  const reason = error instanceof AttestError ? error.reason : undefined;
  const fits = all.some(
    (each) => each.code === code && each.reason === reason && (each.message?.test(message) ?? true),
  );
  assert.ok(fits, `refused with ${code} ${reason ?? ""}: ${message}`);
  assert.equal(chooseErrorExit(error.code), code.startsWith("evidence/") ? 120 : 125);
  assertNothingSent(sent, setting.planted);
  assert.ok(stream.destroyed, "the stream was left open");
  return error;
}

/** By content, and by size: what was sent is too little to hold the workload in any encoding. */
export function assertNothingSent(sent: readonly Buffer[], planted: Planted): void {
  const bytes = Buffer.concat(sent);
  assert.equal(findPiece(bytes, planted), undefined);
  assert.ok(bytes.length < WORKLOAD_BYTES / 4, `the client sent ${bytes.length} octets`);
}
