/** A workload that outlives the session that provisioned it: its output goes to a journal, its input is lent. */
import { DonjonError } from "@donjon/core/errors";
import { CHANNEL } from "@donjon/protocol/session/frame";
import type { DataChannel } from "@donjon/protocol/session/peer";
import type { ByteSource, Workload } from "../runtime/workload.ts";
import { Journal } from "./journal.ts";
import { InputPump } from "./pump.ts";

/** Octets of one entry of the journal, and of what is moved before others get their turn. */
const PIECE_BYTES = 64 << 10;

export class DetachedRun {
  readonly workload: Workload;
  readonly journal = new Journal();
  readonly #input: InputPump;
  #inputTaken = false;
  #open = 2;

  constructor(workload: Workload) {
    this.workload = workload;
    this.#input = new InputPump(workload.stdin);
    this.#capture(workload.stdout, CHANNEL.stdout);
    this.#capture(workload.stderr, CHANNEL.stderr);
  }

  /** Throws `session/refused` when another session has it, or left too much in it that the workload has not read. */
  takeInput(grant: (bytes: number) => void): InputPump {
    if (this.#inputTaken || this.#input.full) {
      const why = this.#inputTaken ? "another session writes it" : "it is full";
      throw new DonjonError(
        "session/refused",
        `stdin cannot be taken: ${why}; attach without input`,
      );
    }
    this.#inputTaken = true;
    this.#input.grant = grant;
    return this.#input;
  }

  releaseInput(): void {
    this.#inputTaken = false;
    this.#input.grant = () => {};
  }

  #capture(source: ByteSource, channel: DataChannel): void {
    let waiting = false;
    const move = () => {
      waiting = false;
      const bytes = source.read();
      if (bytes === null) return;
      if (bytes === undefined) {
        source.onReadable = null;
        this.#open -= 1;
        if (this.#open === 0) this.journal.end();
        return;
      }
      const piece = bytes.slice(0, PIECE_BYTES);
      source.consume(piece.length);
      this.journal.append(channel, piece);
      next();
    };
    // One piece per turn, so that a workload that writes without end leaves room for sessions.
    const next = () => {
      if (waiting) return;
      waiting = true;
      setImmediate(move);
    };
    source.onReadable = next;
    next();
  }
}
