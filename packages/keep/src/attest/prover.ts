/**
 * Answers to `attest`: evidence over a binding, one after the other, since a security processor does one thing at a time.
 * Who asks take turns, so that nobody waits for all that another has asked.
 */
import { DonjonError } from "@donjon/core/errors";
import { type Binding, encodeBinding } from "@donjon/protocol/attestation/binding";
import { encodeEvidence } from "@donjon/protocol/attestation/evidence";
import type { Attester } from "./attester.ts";

/** Who asks: a session's stream, which nobody reads any more once it is destroyed, or all TLS listeners together. */
export interface Asker {
  readonly destroyed: boolean;
}

export class Prover {
  readonly #attester: Attester;
  /** Questions that wait, by who asks; who is to be answered next stands first. */
  readonly #waiting = new Map<Asker, (() => Promise<void>)[]>();
  #busy = false;

  constructor(attester: Attester) {
    this.#attester = attester;
  }

  /**
   * Binding and evidence as a CMW. Rejects with `keep/state` when the platform gives none, and with `session/closed` when
   * who asked is gone before its turn.
   */
  prove(binding: Binding, asker: Asker): Promise<Uint8Array> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const bytes = encodeBinding(binding);
    const answer = async () => {
      if (asker.destroyed)
        throw new DonjonError("session/closed", "who asked for evidence is gone");
      const reportData = process.getBuiltinModule("node:crypto").hash("sha512", bytes, "buffer");
      return encodeEvidence(bytes, await this.#attester.attest(reportData));
    };
    const questions = this.#waiting.get(asker) ?? [];
    questions.push(() => answer().then(resolve, reject));
    this.#waiting.set(asker, questions);
    if (!this.#busy) void this.#answerAll();
    return promise;
  }

  async #answerAll(): Promise<void> {
    this.#busy = true;
    for (const [asker, questions] of this.#waiting) {
      // Whoever has more to ask goes to the end, which this loop reaches as well.
      this.#waiting.delete(asker);
      const [question, ...more] = questions;
      if (more.length > 0) this.#waiting.set(asker, more);
      await question!();
    }
    this.#busy = false;
  }
}
