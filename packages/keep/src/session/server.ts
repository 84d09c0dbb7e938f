/** The Keep's end of one session (protocol README, session). */
import { DonjonError } from "@donjon/core/errors";
import { GREETING_MS, LINGER_MS, MAX_EVIDENCE_REQUESTS } from "@donjon/protocol/limits";
import { ChannelWriter } from "@donjon/protocol/session/channel-writer";
import type { ClientMessage, ProvisionMessage } from "@donjon/protocol/session/client-message";
import { CHANNEL } from "@donjon/protocol/session/frame";
import { KeepPeer } from "@donjon/protocol/session/keep-peer";
import { failureMessage, SESSION_PROTOCOL } from "@donjon/protocol/session/message";
import { fitOutcome, type StopHow } from "@donjon/protocol/session/outcome";
import type { DataChannel } from "@donjon/protocol/session/peer";
import { createFrameSender } from "@donjon/protocol/session/wire";
import { readPieces } from "../node/read-pieces.ts";
import type { Workload, WorkloadResult } from "../runtime/workload.ts";
import type { Channel } from "./channel.ts";
import type { Keep } from "./keep.ts";
import { ProvisionBuilder } from "./provision.ts";
import { InputPump, JournalPump, OutputPump } from "./pump.ts";
import { Upload } from "./upload.ts";

/** Serves one session from its first byte to its end. */
export function serveSession(channel: Channel, keep: Keep): void {
  new SessionServer(channel, keep);
}

/** What carries a workload's output into the session. */
interface Output {
  readonly ended: Promise<void>;
  /** Credit came. */
  flush(): void;
}

class SessionServer {
  readonly #channel: Channel;
  readonly #keep: Keep;
  readonly #peer: KeepPeer;
  readonly #download: ChannelWriter;
  #greeting: NodeJS.Timeout | null;
  #upload: Upload | null = null;
  #builder: ProvisionBuilder | null = null;
  #stdin: InputPump | null = null;
  #outputs: readonly Output[] = [];
  /** What came for the workload before it ran. */
  readonly #early: Uint8Array[] = [];
  #earlyEnd = false;
  /** Requests for evidence whose answers have not gone yet: who does not read them gets no more. */
  #questions = 0;
  /** Called when the last of them is. */
  #onQuiet: () => void = () => {};
  /** Whether the Keep ends with this session. */
  #endsKeep = false;
  #started = false;
  #over = false;
  /** Gives back what the session holds of a detached run. */
  #detach: () => void = () => {};

  constructor(channel: Channel, keep: Keep) {
    this.#channel = channel;
    this.#keep = keep;
    this.#peer = new KeepPeer({
      send: createFrameSender(channel.stream),
      onMessage: (message) => this.#onMessage(message),
      onData: (id, piece) => this.#onData(id, piece),
      onEnd: (id) => this.#onEnd(id),
      onCredit: () => this.#onCredit(),
    });
    this.#download = new ChannelWriter(this.#peer, CHANNEL.download);
    readPieces(channel.stream, (piece) => this.#guarded(() => this.#peer.receive(piece)));
    channel.stream.on("end", () => this.#onGone());
    channel.stream.on("error", () => this.#onGone());
    channel.stream.on("close", () => this.#onClosed());
    const silent = `the client did not greet within ${GREETING_MS} ms`;
    this.#greeting = setTimeout(
      () => this.#fail(new DonjonError("session/timeout", silent)),
      GREETING_MS,
    ).unref();
  }

  #guarded(act: () => void): void {
    if (this.#over) return;
    try {
      act();
    } catch (error) {
      this.#fail(error);
    }
  }

  #onMessage(message: ClientMessage): void {
    if (message.type === "hello") this.#onHello(message.protocol);
    else if (message.type === "attest") this.#onAttest(message.nonce);
    else if (message.type === "provision") this.#onProvision(message);
    else if (message.type === "attach") this.#onAttach(message.input);
    else this.#onStop(message.how);
  }

  #onHello(protocol: number): void {
    clearTimeout(this.#greeting!);
    if (protocol !== SESSION_PROTOCOL) {
      throw new DonjonError(
        "session/protocol",
        `the client speaks session protocol ${protocol}, wanted ${SESSION_PROTOCOL}; use a Keep and a client of one version`,
      );
    }
    const engine = `node ${process.versions.node}`;
    this.#peer.sendMessage({ type: "hello", protocol: SESSION_PROTOCOL, engine });
  }

  #onAttest(nonce: string): void {
    this.#questions += 1;
    if (this.#questions > MAX_EVIDENCE_REQUESTS) {
      throw new DonjonError(
        "session/limit",
        `${MAX_EVIDENCE_REQUESTS} requests for evidence wait already; ask again once they are answered`,
      );
    }
    this.#keep.attest(this.#channel, Buffer.from(nonce, "hex")).then(
      (cmw) =>
        this.#guarded(() => {
          const text = Buffer.from(cmw.buffer, cmw.byteOffset, cmw.length).toString("base64url");
          this.#peer.sendMessage({ type: "evidence", nonce, cmw: text }, () => {
            this.#questions -= 1;
            if (this.#questions === 0) this.#onQuiet();
          });
        }),
      (error) => this.#fail(error),
    );
  }

  #onProvision(message: ProvisionMessage): void {
    this.#keep.claim(this.#channel);
    this.#endsKeep = true;
    const builder = new ProvisionBuilder(message, (module) => this.#keep.prepare(module));
    this.#builder = builder;
    this.#upload = new Upload(
      builder.sizes,
      (index, bytes, sha256) => builder.addPart(index, bytes, sha256),
      (bytes) => this.#peer.grant(CHANNEL.upload, bytes),
    );
  }

  #onAttach(input: boolean): void {
    this.#keep.requireOwner(this.#channel, "attach to its workload");
    const detached = this.#keep.requireDetached();
    const { journal, workload } = detached;
    if (input) this.#stdin = detached.takeInput((bytes) => this.#peer.grant(CHANNEL.stdin, bytes));
    const { lost } = journal;
    const output = new JournalPump(journal, this.#peer, () => this.#fail(behind()));
    this.#outputs = [output];
    this.#detach = () => {
      output.close();
      if (input) detached.releaseInput();
    };
    const state = this.#keep.state === "exited" ? "exited" : "running";
    this.#peer.sendMessage({ type: "attached", state, lost });
    output.flush();
    this.#watch(workload);
  }

  #onStop(how: StopHow): void {
    this.#keep.requireOwner(this.#channel, "stop its workload");
    this.#keep.stop(how);
  }

  #onData(id: DataChannel, piece: Uint8Array): void {
    if (id === CHANNEL.upload && this.#upload !== null) this.#upload.add(piece);
    else if (id === CHANNEL.stdin && this.#stdin !== null) this.#stdin.add(piece);
    else if (id === CHANNEL.stdin && this.#attended) this.#early.push(new Uint8Array(piece));
    else throw new DonjonError("session/protocol", "the client sent data that nothing waits for");
  }

  #onEnd(id: DataChannel): void {
    if (id === CHANNEL.upload) this.#onUploaded();
    else if (this.#stdin !== null) this.#stdin.end();
    else if (this.#attended) this.#earlyEnd = true;
  }

  /** Whether this session has provisioned a workload that does not outlive it. */
  get #attended(): boolean {
    return this.#builder !== null && !this.#builder.detached;
  }

  #onCredit(): void {
    for (const output of this.#outputs) output.flush();
    this.#download.flush();
  }

  #onUploaded(): void {
    if (this.#upload === null || this.#builder === null) {
      throw new DonjonError("session/protocol", "the client ended an upload it never announced");
    }
    this.#upload.end();
    this.#upload = null;
    const provisioned = this.#builder.finish();
    const { manifest, manifestDigest, detached } = provisioned;
    const workload = manifest.workload.sha256!;
    this.#peer.sendMessage({ type: "provisioned", manifest: manifestDigest, workload });
    if (detached) this.#endsKeep = false;
    this.#keep.start(provisioned).then(
      (started) => this.#onStarted(started, detached),
      (error) => this.#onNotStarted(error),
    );
  }

  #onStarted(workload: Workload, detached: boolean): void {
    if (detached) {
      const tell = () => this.#guarded(() => this.#tellStarted(workload));
      workload.onRunning = tell;
      // It goes on without this session; but a module that cannot run is told to who sent it, and one that was stopped before.
      workload.result.then(tell, (error) => this.#fail(error));
    } else this.#guarded(() => this.#attend(workload));
  }

  /** A Keep that could not start what it was given has no further use. */
  #onNotStarted(error: unknown): void {
    this.#endsKeep = true;
    if (this.#over) this.#keep.finish();
    this.#fail(error);
  }

  #attend(workload: Workload): void {
    const stdin = new InputPump(workload.stdin);
    stdin.grant = (bytes) => this.#peer.grant(CHANNEL.stdin, bytes);
    this.#stdin = stdin;
    for (const piece of this.#early.splice(0)) stdin.add(piece);
    if (this.#earlyEnd) stdin.end();
    this.#outputs = [
      new OutputPump(workload.stdout, this.#peer, CHANNEL.stdout),
      new OutputPump(workload.stderr, this.#peer, CHANNEL.stderr),
    ];
    workload.onRunning = () => this.#guarded(() => this.#tellStarted(workload));
    this.#watch(workload);
  }

  #watch(workload: Workload): void {
    workload.result.then(
      (result) => this.#conclude(workload, result),
      (error) => this.#fail(error),
    );
  }

  /** Nothing is lost: output, connections, trees and answers have gone before `exit` does. */
  async #conclude(workload: Workload, result: WorkloadResult): Promise<void> {
    await Promise.all(this.#outputs.map(({ ended }) => ended));
    await this.#keep.drain();
    if (this.#questions > 0) {
      await new Promise<void>((resolve) => {
        this.#onQuiet = resolve;
      });
    }
    this.#guarded(() => {
      if (this.#attended) this.#tellStarted(workload);
      this.#sendTrees(result);
    });
  }

  #tellStarted(workload: Workload): void {
    if (this.#started) return;
    this.#started = true;
    this.#peer.sendMessage({ type: "started", phases: workload.phases });
  }

  #sendTrees(result: WorkloadResult): void {
    const { changes } = result;
    const exit = () =>
      this.#guarded(() => {
        const outcome = fitOutcome(result.outcome);
        this.#over = true;
        this.#peer.sendMessage({ type: "exit", outcome, usage: result.usage }, () => this.#close());
      });
    if (changes.length === 0) {
      exit();
      return;
    }
    const trees = changes.map(({ guest, bytes }) => ({ guest, size: bytes.length }));
    this.#peer.sendMessage({ type: "trees", trees });
    changes.forEach(({ bytes }, index) => {
      this.#download.write(bytes, index === changes.length - 1 ? exit : null);
    });
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#endsKeep) this.#keep.stop("kill");
    this.#peer.sendMessage(failureMessage(error), () => this.#close());
  }

  #onGone(): void {
    if (this.#over) return;
    this.#over = true;
    this.#close();
    // Nobody is there to read what would still be sent, and TLS over a stream that was cut off may never tell its close.
    this.#finish();
  }

  /** Also with a last message that had not gone: nothing will tell that it has. */
  #onClosed(): void {
    this.#onGone();
    this.#release();
    this.#finish();
  }

  #finish(): void {
    if (this.#endsKeep) this.#keep.finish();
    else this.#channel.stream.destroy();
  }

  /**
   * Ends this side. A Keep that ends with the session does so once the client has ended its side too: a socket that is
   * closed with unread bytes in it resets, and the reset could overtake the last message.
   */
  #close(): void {
    this.#release();
    const finish = () => this.#finish();
    // Not sooner: what was sealed ahead is still on its way to the pipe, and a Keep that ends takes it along.
    this.#channel.stream.end(() => setTimeout(finish, LINGER_MS).unref());
  }

  /** Once: another session may hold by now what this one held. */
  #release(): void {
    clearTimeout(this.#greeting!);
    this.#detach();
    this.#detach = () => {};
  }
}

function behind(): DonjonError {
  return new DonjonError(
    "session/limit",
    "this session reads so slowly that output it was to be shown is no longer held; attach again",
  );
}
