/** The Keep's end of one session (protocol README, session). */
import { DonjonError } from "@donjon/core/errors";
import { LINGER_MS } from "@donjon/protocol/limits";
import { ChannelWriter } from "@donjon/protocol/session/channel-writer";
import { CHANNEL } from "@donjon/protocol/session/frame";
import {
  type ClientMessage,
  failureMessage,
  type ProvisionMessage,
  SESSION_PROTOCOL,
} from "@donjon/protocol/session/message";
import { fitOutcome, type StopHow } from "@donjon/protocol/session/outcome";
import { type DataChannel, KeepPeer } from "@donjon/protocol/session/peer";
import { createFrameSender } from "@donjon/protocol/session/wire";
import type { Workload, WorkloadResult } from "../runtime/workload.ts";
import type { Channel } from "./channel.ts";
import type { Keep } from "./keep.ts";
import { ProvisionBuilder } from "./provision.ts";
import { InputPump, OutputPump } from "./pump.ts";
import { Upload } from "./upload.ts";

/** Serves one session from its first byte to its end. */
export function serveSession(channel: Channel, keep: Keep): void {
  new SessionServer(channel, keep);
}

class SessionServer {
  readonly #channel: Channel;
  readonly #keep: Keep;
  readonly #peer: KeepPeer;
  readonly #download: ChannelWriter;
  #upload: Upload | null = null;
  #builder: ProvisionBuilder | null = null;
  #workload: Workload | null = null;
  #stdin: InputPump | null = null;
  #outputs: readonly OutputPump[] = [];
  /** What came for the workload before it ran. */
  readonly #early: Uint8Array[] = [];
  #earlyEnd = false;
  #earlyStop: StopHow | null = null;
  #owner = false;
  #started = false;
  #over = false;

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
    channel.stream.on("data", (chunk: Uint8Array) =>
      this.#guarded(() => this.#peer.receive(chunk)),
    );
    channel.stream.on("end", () => this.#onGone());
    channel.stream.on("error", () => this.#onGone());
    channel.stream.on("close", () => this.#onGone());
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
    else if (message.type === "provision") this.#onProvision(message);
    else if (message.type !== "stop") {
      throw new DonjonError("session/refused", `this Keep does not answer ${message.type} yet`);
    } else if (this.#workload !== null) this.#workload.stop(message.how);
    else this.#earlyStop = message.how;
  }

  #onHello(protocol: number): void {
    if (protocol !== SESSION_PROTOCOL) {
      throw new DonjonError(
        "session/protocol",
        `the client speaks session protocol ${protocol}, wanted ${SESSION_PROTOCOL}; use a Keep and a client of one version`,
      );
    }
    const engine = `node ${process.versions.node}`;
    this.#peer.sendMessage({ type: "hello", protocol: SESSION_PROTOCOL, engine });
  }

  #onProvision(message: ProvisionMessage): void {
    this.#keep.claim();
    this.#owner = true;
    const builder = new ProvisionBuilder(message);
    this.#builder = builder;
    this.#upload = new Upload(
      builder.sizes,
      (index, bytes) => builder.addPart(index, bytes),
      (bytes) => this.#peer.grant(CHANNEL.upload, bytes),
    );
  }

  #onData(id: DataChannel, piece: Uint8Array): void {
    if (this.#builder === null) {
      throw new DonjonError("session/protocol", "the client sent data before it provisioned");
    }
    if (id === CHANNEL.upload) this.#upload?.add(piece);
    else if (this.#stdin !== null) this.#stdin.add(piece);
    else this.#early.push(piece);
  }

  #onEnd(id: DataChannel): void {
    if (id === CHANNEL.upload) this.#onUploaded();
    else if (this.#stdin !== null) this.#stdin.end();
    else this.#earlyEnd = true;
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
    this.#peer.sendMessage({
      type: "provisioned",
      manifest: provisioned.manifestDigest,
      workload: provisioned.manifest.workload.sha256!,
    });
    this.#keep.start(provisioned).then(
      (workload) => this.#guarded(() => this.#attach(workload)),
      (error) => this.#fail(error),
    );
  }

  #attach(workload: Workload): void {
    this.#workload = workload;
    this.#stdin = new InputPump(workload.stdin, (bytes) => this.#peer.grant(CHANNEL.stdin, bytes));
    for (const piece of this.#early.splice(0)) this.#stdin.add(piece);
    if (this.#earlyEnd) this.#stdin.end();
    if (this.#earlyStop !== null) workload.stop(this.#earlyStop);
    this.#outputs = [
      new OutputPump(workload.stdout, this.#peer, CHANNEL.stdout),
      new OutputPump(workload.stderr, this.#peer, CHANNEL.stderr),
    ];
    workload.onRunning = () => this.#guarded(() => this.#tellStarted(workload));
    workload.result.then(
      (result) => this.#finish(workload, result),
      (error) => this.#fail(error),
    );
  }

  /** Nothing is lost: output, connections and trees have gone before `exit` does. */
  async #finish(workload: Workload, result: WorkloadResult): Promise<void> {
    await Promise.all(this.#outputs.map(({ ended }) => ended));
    await this.#keep.drain();
    this.#guarded(() => {
      this.#tellStarted(workload);
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
    this.#workload?.stop("kill");
    this.#peer.sendMessage(failureMessage(error), () => this.#close());
  }

  #onGone(): void {
    if (this.#over) return;
    this.#over = true;
    this.#close();
  }

  /**
   * Ends this side. The owner's Keep ends once the client has ended its side too: a socket that is closed with
   * unread bytes in it resets, and the reset could overtake the last message.
   */
  #close(): void {
    const { stream } = this.#channel;
    stream.end();
    if (!this.#owner) return;
    const finish = () => this.#keep.finish();
    if (stream.closed) finish();
    stream.once("close", finish);
    setTimeout(finish, LINGER_MS);
  }
}
