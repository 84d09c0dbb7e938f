/** Answers to `attest`: evidence over a binding, one after the other, since a security processor does one thing at a time. */
import { type Binding, encodeBinding } from "@donjon/protocol/attestation/binding";
import { encodeEvidence } from "@donjon/protocol/attestation/evidence";
import type { Attester } from "./attester.ts";

export class Prover {
  readonly #attester: Attester;
  #last: Promise<unknown> = Promise.resolve();

  constructor(attester: Attester) {
    this.#attester = attester;
  }

  /** Binding and evidence as a CMW. Rejects with `keep/state` when the platform gives none. */
  prove(binding: Binding): Promise<Uint8Array> {
    const bytes = encodeBinding(binding);
    const reportData = process.getBuiltinModule("node:crypto").hash("sha512", bytes, "buffer");
    const proof = this.#last.then(async () =>
      encodeEvidence(bytes, await this.#attester.attest(reportData)),
    );
    this.#last = proof.catch(() => {});
    return proof;
  }
}
