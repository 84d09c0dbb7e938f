/** The client's end of one session: who gets which message, and what a failure means for all of them. */
import type { Duplex } from "node:stream";
import { decodeBase64Url } from "@donjon/core/base64";
import { DonjonError } from "@donjon/core/errors";
import { encodeHex } from "@donjon/core/hex";
import { PROVISION_STALL_MS } from "@donjon/protocol/limits";
import { ClientPeer } from "@donjon/protocol/session/client-peer";
import { failureError, type KeepMessage } from "@donjon/protocol/session/keep-message";
import { SESSION_PROTOCOL } from "@donjon/protocol/session/message";
import { createFrameSender } from "@donjon/protocol/session/wire";
import { type StartedAttach, type StartedRun, startAttach, startRun } from "./run.ts";
import type {
  AttachedRun,
  AttachOptions,
  OnUpload,
  Provision,
  Run,
  SessionOptions,
} from "./session.ts";

export class ClientSession {
  readonly #stream: Duplex;
  readonly #peer: ClientPeer;
  readonly #hello = Promise.withResolvers<{ protocol: number; engine: string }>();
  /** Questions under way, by their nonce in hex. */
  readonly #questions = new Map<string, PromiseWithResolvers<Uint8Array>>();
  #run: StartedRun | null = null;
  #attach: StartedAttach | null = null;
  #over: DonjonError | null = null;
  /** Until the Keep says that what it was provisioned with runs. */
  #stall: NodeJS.Timeout | undefined;
  readonly #stallMs: number;

  constructor(stream: Duplex, { stallMs = PROVISION_STALL_MS }: SessionOptions) {
    this.#stream = stream;
    this.#stallMs = stallMs;
    this.#hello.promise.catch(() => {});
    this.#peer = new ClientPeer({
      send: createFrameSender(stream),
      onMessage: (message) => this.#onMessage(message),
      onData: (channel, piece) => this.#current?.onData(channel, piece),
      onEnd: (channel) => this.#current?.onEnd(channel),
      onCredit: (channel) => {
        this.#stall?.refresh();
        this.#current?.onCredit(channel);
      },
    });
    stream.on("data", (chunk: Uint8Array) => this.#guarded(() => this.#peer.receive(chunk)));
    stream.on("end", () =>
      this.#guarded(() => {
        this.#peer.finish();
        this.#onClosed();
      }),
    );
    stream.on("error", (cause) => this.#guarded(() => this.#fail(asClosedError(cause))));
    stream.on("close", () => this.#guarded(() => this.#onClosed()));
    this.#peer.sendMessage({ type: "hello", protocol: SESSION_PROTOCOL });
  }

  get hello(): Promise<{ protocol: number; engine: string }> {
    return this.#hello.promise;
  }

  provision(provision: Provision, onUpload: OnUpload): Run {
    if (this.#run !== null) throw new TypeError("a session takes one provision");
    this.#run = startRun(this.#peer, provision, onUpload, (error) =>
      this.#guarded(() => this.#fail(asDonjonError(error))),
    );
    const { run } = this.#run;
    this.#stall = setTimeout(
      () => this.#guarded(() => this.#fail(stallError(this.#stallMs))),
      this.#stallMs,
    );
    const over = () => clearTimeout(this.#stall);
    run.provisioned.then(() => this.#stall?.refresh(), over);
    run.started.then(over, over);
    if (this.#over !== null) this.#run.fail(this.#over);
    return run;
  }

  attach(options: AttachOptions): AttachedRun {
    if (this.#attach !== null) throw new TypeError("a session attaches once");
    this.#attach = startAttach(this.#peer, options);
    if (this.#over !== null) this.#attach.fail(this.#over);
    return this.#attach.run;
  }

  askEvidence(nonce: Uint8Array): Promise<Uint8Array> {
    const question = Promise.withResolvers<Uint8Array>();
    const name = encodeHex(nonce);
    if (this.#over !== null) question.reject(this.#over);
    else {
      this.#questions.set(name, question);
      this.#peer.sendMessage({ type: "attest", nonce: name });
    }
    return question.promise;
  }

  close(): void {
    this.#guarded(() => this.#fail(closedError()));
  }

  get #current(): StartedRun | StartedAttach | null {
    return this.#attach ?? this.#run;
  }

  #onMessage(message: KeepMessage): void {
    if (message.type === "hello") this.#hello.resolve(checkHello(message));
    else if (message.type === "failure") this.#fail(failureError(message));
    else if (message.type === "evidence") this.#onEvidence(message.nonce, message.cmw);
    else if (message.type === "provisioned" || message.type === "started") {
      this.#run?.onMessage(message);
    } else this.#current?.onMessage(message);
    // The Keep waits for this before it goes.
    if (message.type === "exit") this.#stream.end();
  }

  #onEvidence(nonce: string, cmw: string): void {
    const question = this.#questions.get(nonce);
    if (question === undefined) {
      throw new DonjonError("session/protocol", "the Keep sent evidence that nobody asked for");
    }
    this.#questions.delete(nonce);
    question.resolve(decodeBase64Url(cmw));
  }

  #onClosed(): void {
    if (this.#current?.finished !== true) this.#fail(closedError());
    else this.#failQuestions(closedError());
  }

  #fail(error: DonjonError): void {
    this.#over ??= error;
    this.#hello.reject(error);
    this.#failQuestions(error);
    this.#run?.fail(error);
    this.#attach?.fail(error);
    this.#stream.destroy();
  }

  #failQuestions(error: DonjonError): void {
    for (const question of this.#questions.values()) question.reject(error);
    this.#questions.clear();
  }

  #guarded(act: () => void): void {
    if (this.#over !== null) return;
    try {
      act();
    } catch (error) {
      this.#fail(asDonjonError(error));
    }
  }
}

function checkHello(message: KeepMessage & { type: "hello" }): {
  protocol: number;
  engine: string;
} {
  if (message.protocol === SESSION_PROTOCOL) return message;
  throw new DonjonError(
    "session/protocol",
    `the Keep speaks session protocol ${message.protocol}, wanted ${SESSION_PROTOCOL}; use a Keep and a client of one version`,
  );
}

function closedError(cause?: unknown): DonjonError {
  return new DonjonError(
    "session/closed",
    "the session ended before the run was over; the Keep or the host between has stopped",
    { cause },
  );
}

function stallError(stallMs: number): DonjonError {
  return new DonjonError(
    "session/timeout",
    `the Keep took nothing of what it was sent, or did not start it, for ${stallMs} ms; the host may hold it back: try again, or another host`,
    { details: { stallMs } },
  );
}

/** The gate says itself why it refused a stream; a stream that only ended says nothing. */
function asClosedError(cause: unknown): DonjonError {
  const told = cause instanceof DonjonError && cause.code !== "gate/closed";
  return told ? cause : closedError(cause);
}

function asDonjonError(error: unknown): DonjonError {
  if (error instanceof DonjonError) return error;
  return new DonjonError("internal", `the session failed: ${error}`, { cause: error });
}
