/** A Keep under the test's control at the other end of a real TLS handshake, with real simulated evidence. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Duplex, duplexPair } from "node:stream";
import { createIdentity, type KeepIdentity } from "@donjon/keep/identity/identity";
import type { Channel } from "@donjon/keep/session/channel";
import { createSessionAcceptor } from "@donjon/keep/session/secured";
import { type Binding, encodeBinding } from "@donjon/protocol/attestation/binding";
import { encodeEvidence } from "@donjon/protocol/attestation/evidence";
import type { KeepMessage } from "@donjon/protocol/session/keep-message";
import { KeepPeer } from "@donjon/protocol/session/keep-peer";
import { SESSION_PROTOCOL } from "@donjon/protocol/session/message";
import { createFrameSender } from "@donjon/protocol/session/wire";
import { openSecurityProcessor } from "@donjon/simtee/security-processor";
import { createClientIdentity } from "../../src/attested/identity.ts";
import { openAttestedSession } from "../../src/attested/open.ts";
import type { ExpectedKeep } from "../../src/attested/statement.ts";
import { createSimulatedVerifier } from "../../src/attested/verifier.ts";

const folder = mkdtempSync(join(tmpdir(), "donjon-client-"));
export const processor = await openSecurityProcessor(folder);
rmSync(folder, { recursive: true });

export const MEASUREMENT = createHash("sha256").update("image").digest();
export const identity = createClientIdentity(Date.now());
export const verify = createSimulatedVerifier(processor.trust, {
  policy: { sgx: { mrEnclave: [MEASUREMENT.toString("hex")] } },
});

/** Evidence as a Keep of this image gives it, over any binding. */
export async function prove(binding: Binding, measurement = MEASUREMENT): Promise<Uint8Array> {
  const bytes = encodeBinding(binding);
  const reportData = createHash("sha512").update(bytes).digest();
  const made = await processor.createEvidence({ tee: "sgx", measurement }, reportData);
  return encodeEvidence(bytes, {
    tee: "sgx",
    evidence: made.evidence,
    auxiliary: made.auxiliary,
  });
}

export interface Asked {
  readonly nonce: Uint8Array;
  readonly channel: Channel;
  /** What an honest Keep would bind. */
  readonly binding: Binding;
}

export interface FakeKeep {
  readonly keepIdentity?: KeepIdentity;
  readonly protocol?: number;
  /** The CMW to answer with; `null`: nothing, for ever. */
  answer?(asked: Asked): Promise<Uint8Array | null>;
  /** Messages besides. */
  readonly say?: readonly KeepMessage[];
}

/** What the Keep's side of the stream saw of the client, decrypted. */
export interface Witness {
  readonly messages: string[];
}

/** Serves one session on `stream`. */
export function serveFakeKeep(stream: Duplex, fake: FakeKeep): Witness {
  const messages: string[] = [];
  const accept = createSessionAcceptor(fake.keepIdentity ?? createIdentity(Date.now()));
  stream.on("error", () => {});
  accept(stream, (channel) => {
    channel.stream.on("error", () => {});
    const peer = new KeepPeer({
      send: createFrameSender(channel.stream),
      onMessage: (message) => {
        messages.push(message.type);
        if (message.type === "hello") {
          const protocol = fake.protocol ?? SESSION_PROTOCOL;
          peer.sendMessage({ type: "hello", protocol, engine: "fake" });
          for (const more of fake.say ?? []) peer.sendMessage(more);
        }
        if (message.type !== "attest") return;
        const nonce = Buffer.from(message.nonce, "hex");
        const binding = {
          nonce,
          ...channel.secured!,
          manifest: null,
          workload: null,
          owner: null,
        };
        (fake.answer ?? (({ binding }) => prove(binding)))({ nonce, channel, binding }).then(
          (cmw) => {
            if (cmw === null) return;
            const text = Buffer.from(cmw).toString("base64url");
            peer.sendMessage({ type: "evidence", nonce: message.nonce, cmw: text });
          },
        );
      },
      onData: () => {},
      onEnd: () => {},
      onCredit: () => {},
    });
    channel.stream.on("data", (chunk: Uint8Array) => peer.receive(chunk));
  });
  return { messages };
}

export function openAgainst(
  fake: FakeKeep,
  { expect = "new", timeoutMs = 10_000 }: { expect?: ExpectedKeep; timeoutMs?: number } = {},
) {
  const [client, server] = duplexPair();
  const witness = serveFakeKeep(server, fake);
  const opened = openAttestedSession(client, { identity, verify, expect, timeoutMs });
  return { opened, witness, client, server };
}
