/** A host that starts genuine Keeps, holds their pipes, and does with them what it likes. */
import { join } from "node:path";
import { Duplex } from "node:stream";
import type { StartedKeep } from "@donjon/host/backend/backend";
import { createProcessBackend } from "@donjon/host/backend/process";
import type { PlatformEvidence } from "@donjon/protocol/attestation/evidence";
import {
  CONSOLE_TARGET,
  EVIDENCE_TARGET,
  encodeLaneTarget,
  HEALTH_TARGET,
  SESSION_TARGET,
} from "@donjon/protocol/gate/gate";
import { MUX_REFUSAL } from "@donjon/protocol/gate/mux";
import { type GateCall, openGatePipe } from "@donjon/protocol/gate/pipe";
import { type Between, keepIn, tamper } from "./tampered.ts";

export const RUNTIME = join(import.meta.dirname, "../../../../packages/keep/dist/keep.cjs");

/** Answers the Keep's question for evidence, on the stream or not at all. */
export type AnswerEvidence = (stream: Duplex, reportData: Buffer) => void | Promise<void>;

export interface HostileHost extends AsyncDisposable {
  readonly keep: StartedKeep;
  /** Lines of the Keep's runtime, and of what started it. */
  readonly console: readonly string[];
  /** Every octet that has gone through the Keep's pipes. */
  readonly recorded: readonly Buffer[];
  /** May be replaced at any time. */
  answer: AnswerEvidence;
  call(target?: string): Duplex;
  /** Once. */
  callLane(): Duplex;
  health(): Promise<string>;
}

export interface HostOptions {
  readonly answer: AnswerEvidence;
  readonly runtime?: string;
  /** Between the host's gate and the pipe `in`. */
  readonly pipe?: Between;
}

/** The Keep is killed, and seen to have ended, when the test is over. */
export function startHost({ answer, runtime = RUNTIME, pipe = {} }: HostOptions): HostileHost {
  const console: string[] = [];
  const recorded: Buffer[] = [];
  const backend = createProcessBackend({ engine: process.execPath, runtime });
  const keep = backend.start({ onConsole: (line) => console.push(line) });
  const watched = tamper(keep.in, { forth: keepIn(recorded), back: keepIn(recorded) });
  const gate = openGatePipe(tamper(watched, pipe), { role: "caller", Duplex });
  const out = tamper(keep.out, { forth: keepIn(recorded), back: keepIn(recorded) });
  openGatePipe(out, { role: "callee", Duplex, onCall: (call) => answerKeep(host, call, console) });
  const host: HostileHost = {
    keep,
    console,
    recorded,
    answer,
    call: (target = SESSION_TARGET) => gate.open(target).on("error", () => {}),
    callLane() {
      const { stream, release } = keep.lane!;
      const call = gate.open(encodeLaneTarget(SESSION_TARGET), { onAccept: release });
      call.on("error", () => {}).resume();
      return tamper(stream, { forth: keepIn(recorded), back: keepIn(recorded) });
    },
    async health() {
      const stream = gate.open(HEALTH_TARGET);
      stream.end();
      const { state } = JSON.parse((await readAll(stream)).toString());
      return state;
    },
    async [Symbol.asyncDispose]() {
      keep.kill();
      gate.close();
      keep.lane?.stream.destroy();
      await keep.ended;
    },
  };
  return host;
}

function answerKeep(host: HostileHost, call: GateCall<Duplex>, console: string[]): void {
  if (call.target !== EVIDENCE_TARGET && call.target !== CONSOLE_TARGET) {
    call.refuse(MUX_REFUSAL.refused, "not here");
    return;
  }
  const stream = call.accept();
  stream.on("error", () => {});
  const pieces: Buffer[] = [];
  stream.on("data", (piece: Buffer) => pieces.push(piece));
  stream.on("end", () => {
    const bytes = Buffer.concat(pieces);
    if (call.target === EVIDENCE_TARGET) host.answer(stream, bytes);
    else console.push(bytes.toString());
  });
}

/** An honest answer, as the protocol has it. */
export function encodeAnswer({ tee, evidence, auxiliary }: PlatformEvidence): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt8({ snp: 1, tdx: 2, sgx: 3 }[tee], 0);
  header.writeUInt32BE(evidence.length, 1);
  return Buffer.concat([header, evidence, auxiliary]);
}

export async function readAll(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(piece);
  return Buffer.concat(pieces);
}
