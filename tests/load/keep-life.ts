/** The life of one Keep at an agent, from its owner's side: made, proved, given a program, talked to, removed. */
import assert from "node:assert/strict";
import { parseTrust } from "@donjon/attest/simulated-trust";
import type { AgentClient, KeepRecord } from "@donjon/client/agent/client";
import { createClientIdentity } from "@donjon/client/attested/identity";
import {
  type AttestedSession,
  type ExpectedKeep,
  openAttestedSession,
  ownedBy,
  type Verifier,
} from "@donjon/client/attested/open";
import { createSimulatedVerifier } from "@donjon/client/attested/verifier";
import type { AttachedRun } from "@donjon/client/session";
import { encodeCatGuest } from "@donjon/testkit/contract/guests";
import { createProvision } from "@donjon/testkit/contract/keep-fixture";

const PROVISION = { ...createProvision(encodeCatGuest()), detached: true };

export class Owner {
  readonly agent: AgentClient;
  readonly #identity = createClientIdentity(Date.now());
  readonly #verify: Verifier;

  private constructor(agent: AgentClient, verify: Verifier) {
    this.agent = agent;
    this.#verify = verify;
  }

  static async create(agent: AgentClient): Promise<Owner> {
    const trust = parseTrust(await agent.getSimulatedTrust());
    const policy = { reportData: "any", sgx: { mrEnclave: "any" } } as const;
    return new Owner(agent, createSimulatedVerifier(trust, { policy }));
  }

  /** Resolves when the program, which copies stdin to stdout, runs on its own. */
  async deploy(keep: KeepRecord): Promise<void> {
    const session = await this.#open(keep, "new");
    await session.provision(PROVISION).started;
    session.close();
  }

  /** Resolves when the running Keep has proved itself to its owner again. */
  async prove(keep: KeepRecord): Promise<void> {
    const session = await this.#open(keep, ownedBy(this.#identity));
    session.close();
  }

  /** A session attached to the program, which has already echoed `text`. */
  async attach(keep: KeepRecord, text: string): Promise<AttachedRun> {
    const run = (await this.#open(keep, ownedBy(this.#identity))).attach({ input: true });
    run.result.catch(() => {});
    run.stdin.write(text);
    let seen = "";
    for await (const piece of run.stdout.iterator({ destroyOnReturn: false })) {
      seen += piece;
      if (seen.endsWith(text)) return run;
    }
    throw new Error(`the program echoed '${seen}', wanted '${text}'`);
  }

  /** Ends the program by ending its input. */
  async finish(keep: KeepRecord, text: string): Promise<void> {
    const run = await this.attach(keep, text);
    run.stdin.end();
    run.stdout.resume();
    run.stderr.resume();
    assert.deepEqual((await run.result).outcome, { kind: "exit", code: 0 });
  }

  async #open(keep: KeepRecord, expect: ExpectedKeep): Promise<AttestedSession> {
    const stream = await this.agent.openSession(keep.id);
    return openAttestedSession(stream, { identity: this.#identity, verify: this.#verify, expect });
  }
}
