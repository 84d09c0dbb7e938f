/** One run inside a session: what was provisioned goes up, stdio both ways, results down. */
import { DonjonError } from "@donjon/core/errors";
import { INITIAL_CREDIT } from "@donjon/protocol/limits";
import { ChannelWriter } from "@donjon/protocol/session/channel-writer";
import type { ClientPeer } from "@donjon/protocol/session/client-peer";
import { CHANNEL } from "@donjon/protocol/session/frame";
import type { KeepMessage } from "@donjon/protocol/session/keep-message";
import type { DataChannel } from "@donjon/protocol/session/peer";
import type {
  AttachedRun,
  AttachOptions,
  OnUpload,
  Provision,
  Provisioned,
  Run,
  RunResult,
  TreeBytes,
} from "./session.ts";
import { ChannelReadable, ChannelWritable } from "./streams.ts";
import { sendParts } from "./upload.ts";

/** What a session tells one run. */
export interface RunEvents {
  /** Whether the last message has come. */
  readonly finished: boolean;
  onMessage(message: KeepMessage): void;
  onData(channel: DataChannel, piece: Uint8Array): void;
  onEnd(channel: DataChannel): void;
  onCredit(channel: DataChannel): void;
  fail(error: DonjonError): void;
}

export interface StartedRun extends RunEvents {
  readonly run: Run;
}

export interface StartedAttach extends RunEvents {
  readonly run: AttachedRun;
}

/** Sends the `provision` message and begins the upload; `onError` is told what lazy bytes throw. */
export function startRun(
  peer: ClientPeer,
  provision: Provision,
  onUpload: OnUpload,
  onError: (error: unknown) => void,
): StartedRun {
  const secrets = [...provision.secrets];
  peer.sendMessage({
    type: "provision",
    manifest: provision.manifest.length,
    workload: provision.workload.length,
    secrets: secrets.map(([name, value]) => ({ name, size: value.length })),
    trees: provision.trees.map(({ guest, bytes }) => ({ guest, size: bytes.length })),
    terminals: provision.terminals ?? [],
    detached: provision.detached ?? false,
    time: Date.now(),
  });
  const upload = new ChannelWriter(peer, CHANNEL.upload);
  const parts = [
    provision.workload,
    ...provision.trees.map(({ bytes }) => bytes),
    provision.manifest,
    ...secrets.map(([, value]) => value),
  ];
  const total = parts.reduce((sum, { length }) => sum + length, 0);
  const tellUpload = () => onUpload(upload.sent, total);
  const started = new RunOfSession(peer, upload, tellUpload);
  sendParts(parts, upload, { over: started.run.result, onSent: tellUpload }).catch(onError);
  tellUpload();
  if (provision.detached === true) started.goWithoutStreams();
  return started;
}

/** Sends the `attach` message. */
export function startAttach(peer: ClientPeer, { input }: AttachOptions): StartedAttach {
  peer.sendMessage({ type: "attach", input });
  const attached = new RunOfSession(peer, null, () => {});
  if (!input) attached.goWithoutInput();
  return attached;
}

class RunOfSession implements StartedRun, StartedAttach {
  readonly run: Run & AttachedRun;
  finished = false;
  readonly #upload: ChannelWriter | null;
  readonly #tellUpload: () => void;
  readonly #stdinWriter: ChannelWriter;
  readonly #stdin: ChannelWritable;
  readonly #outputs: ReadonlyMap<DataChannel, ChannelReadable>;
  readonly #download: Download;
  readonly #provisioned = Promise.withResolvers<Provisioned>();
  readonly #started = Promise.withResolvers<ReadonlyMap<string, number>>();
  readonly #attached = Promise.withResolvers<Awaited<AttachedRun["attached"]>>();
  readonly #result = Promise.withResolvers<RunResult>();
  readonly #received = { output: 0, trees: 0 };

  constructor(peer: ClientPeer, upload: ChannelWriter | null, tellUpload: () => void) {
    this.#upload = upload;
    this.#tellUpload = tellUpload;
    this.#stdinWriter = new ChannelWriter(peer, CHANNEL.stdin);
    this.#stdin = new ChannelWritable(this.#stdinWriter);
    const stdout = new ChannelReadable((bytes) => peer.grant(CHANNEL.stdout, bytes));
    const stderr = new ChannelReadable((bytes) => peer.grant(CHANNEL.stderr, bytes));
    this.#outputs = new Map<DataChannel, ChannelReadable>([
      [CHANNEL.stdout, stdout],
      [CHANNEL.stderr, stderr],
    ]);
    this.#download = new Download((bytes) => peer.grant(CHANNEL.download, bytes));
    // A failure is told by `result`; who does not look at the others must not die of them.
    this.#provisioned.promise.catch(() => {});
    this.#started.promise.catch(() => {});
    this.#attached.promise.catch(() => {});
    this.run = {
      stdin: this.#stdin,
      stdout,
      stderr,
      provisioned: this.#provisioned.promise,
      started: this.#started.promise,
      attached: this.#attached.promise,
      result: this.#result.promise,
      received: this.#received,
      stop: (how) => {
        if (!this.finished) peer.sendMessage({ type: "stop", how });
      },
    };
  }

  /** A detached run: its session carries the upload and nothing else. */
  goWithoutStreams(): void {
    this.#result.promise.catch(() => {});
    this.goWithoutInput();
    for (const output of this.#outputs.values()) output.end();
  }

  goWithoutInput(): void {
    this.#stdin.abandon();
  }

  onMessage(message: KeepMessage): void {
    if (message.type === "provisioned") this.#provisioned.resolve(message);
    else if (message.type === "started") this.#started.resolve(message.phases);
    else if (message.type === "attached") this.#attached.resolve(message);
    else if (message.type === "trees") this.#download.expect(message.trees);
    else if (message.type === "exit") {
      const changes = this.#download.take();
      this.#finish();
      this.#result.resolve({ outcome: message.outcome, usage: message.usage, changes });
    }
  }

  onData(channel: DataChannel, piece: Uint8Array): void {
    if (channel === CHANNEL.download) {
      this.#received.trees += piece.length;
      this.#download.add(piece);
      return;
    }
    this.#received.output += piece.length;
    this.#outputs.get(channel)!.deliver(piece);
  }

  onEnd(channel: DataChannel): void {
    this.#outputs.get(channel)?.end();
  }

  onCredit(channel: DataChannel): void {
    if (channel === CHANNEL.stdin) {
      this.#stdinWriter.flush();
      return;
    }
    this.#upload?.flush();
    this.#tellUpload();
  }

  fail(error: DonjonError): void {
    if (this.finished) return;
    this.#finish();
    this.#provisioned.reject(error);
    this.#started.reject(error);
    this.#attached.reject(error);
    this.#result.reject(error);
  }

  #finish(): void {
    this.finished = true;
    this.#upload?.abandon();
    this.#stdin.abandon();
    for (const output of this.#outputs.values()) if (!output.readableEnded) output.end();
  }
}

/** Changed trees on their way back, in the order that `trees` announced. */
class Download {
  readonly #grant: (bytes: number) => void;
  #trees: { guest: string; bytes: Uint8Array }[] = [];
  #index = 0;
  #fill = 0;
  #owed = 0;

  constructor(grant: (bytes: number) => void) {
    this.#grant = grant;
  }

  expect(trees: readonly { readonly guest: string; readonly size: number }[]): void {
    this.#trees = trees.map(({ guest, size }) => ({ guest, bytes: new Uint8Array(size) }));
    this.#skipFull();
  }

  add(piece: Uint8Array): void {
    let rest = piece;
    while (rest.length > 0) {
      const tree = this.#trees[this.#index];
      if (tree === undefined) throw wrongLength("more than was announced");
      const count = Math.min(rest.length, tree.bytes.length - this.#fill);
      tree.bytes.set(rest.subarray(0, count), this.#fill);
      this.#fill += count;
      rest = rest.subarray(count);
      this.#skipFull();
    }
    this.#owed += piece.length;
    if (this.#owed < INITIAL_CREDIT / 4) return;
    this.#grant(this.#owed);
    this.#owed = 0;
  }

  /** All trees, or an error when one is not whole. */
  take(): readonly TreeBytes[] {
    if (this.#index < this.#trees.length) throw wrongLength("less than was announced");
    return this.#trees;
  }

  #skipFull(): void {
    while (this.#fill === this.#trees[this.#index]?.bytes.length) {
      this.#index += 1;
      this.#fill = 0;
    }
  }
}

function wrongLength(found: string): DonjonError {
  return new DonjonError("session/protocol", `the Keep sent ${found} of the changed trees`);
}
