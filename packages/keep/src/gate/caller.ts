/** The pipe `out`: the Keep calls the host (protocol README, gate). Opened by the first call. */
import { Duplex } from "node:stream";
import { DonjonError } from "@donjon/core/errors";
import { type Authority, CONSOLE_TARGET, encodeAuthority } from "@donjon/protocol/gate/gate";
import { type GatePipe, openGatePipe } from "@donjon/protocol/gate/pipe";
import { MAX_CONSOLE_LINE } from "@donjon/protocol/limits";

export interface AnswerLimits {
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

export interface GateCaller {
  /** Rejects with `gate/refused` when the host does not allow it, `gate/closed` when it was not reached. */
  connect(target: Authority): Promise<Duplex>;
  /** Sends a question on a stream of its own. Rejects with `gate/closed` when the answer is late or too long. */
  ask(target: string, question: Uint8Array, limits: AnswerLimits): Promise<Uint8Array>;
  /** One line of the runtime itself; never workload output, never secrets. */
  log(line: string): void;
}

export function createGateCaller(openPipe: () => Duplex): GateCaller {
  let pipe: GatePipe<Duplex> | null = null;
  const opened = (): GatePipe<Duplex> => {
    pipe ??= openGatePipe(openPipe(), { role: "caller", Duplex });
    return pipe;
  };
  return {
    connect: (target) => connectStream(opened(), target),
    ask: (target, question, limits) => askHost(opened().open(target), question, limits),
    log(line) {
      if (opened().closed) return;
      const stream = opened().open(CONSOLE_TARGET);
      stream.on("error", () => {});
      stream.resume().end(line.slice(0, MAX_CONSOLE_LINE));
    },
  };
}

function connectStream(pipe: GatePipe<Duplex>, target: Authority): Promise<Duplex> {
  const authority = encodeAuthority(target);
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
  const stream: Duplex = pipe.open(authority, { onAccept: () => resolve(stream) });
  stream.on("error", (cause) => reject(explain(authority, cause)));
  return promise;
}

async function askHost(
  stream: Duplex,
  question: Uint8Array,
  { maxBytes, timeoutMs }: AnswerLimits,
): Promise<Uint8Array> {
  const late = new DonjonError("gate/closed", `the host did not answer within ${timeoutMs} ms`);
  const timer = setTimeout(() => stream.destroy(late), timeoutMs);
  stream.end(question);
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const piece of stream as AsyncIterable<Uint8Array>) {
      pieces.push(piece);
      length += piece.length;
      if (length > maxBytes) {
        throw new DonjonError("gate/closed", `the host answered with more than ${maxBytes} octets`);
      }
    }
    return Buffer.concat(pieces);
  } finally {
    clearTimeout(timer);
  }
}

function explain(authority: string, cause: Error): DonjonError {
  const refused = cause instanceof DonjonError && cause.code === "gate/refused";
  return refused
    ? new DonjonError(
        "gate/refused",
        `the host refuses a connection to ${authority}: ${cause.message}`,
        { cause },
      )
    : new DonjonError(
        "gate/closed",
        `the connection to ${authority} was not made: ${cause.message}`,
        { cause },
      );
}
