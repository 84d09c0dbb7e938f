/** All attempts of an instance, in one layout. */
import { createArgsFunctions } from "./args.ts";
import type { WaitingAttempt } from "./attempt.ts";
import { createClockFunctions } from "./clock.ts";
import type { Context } from "./context.ts";
import { createDirectoryFunctions } from "./fd-directory.ts";
import { createFileFunctions } from "./fd-file.ts";
import { createOffsetFunctions } from "./fd-offset.ts";
import { createPositionFunctions } from "./fd-position.ts";
import { createStatFunctions } from "./fd-stat.ts";
import { createTransferFunctions } from "./fd-transfer.ts";
import { FUNCTION_NAMES, FUNCTIONS, type FunctionName } from "./functions.ts";
import type { Layout } from "./layout.ts";
import { createPathFunctions } from "./path.ts";
import { createPathOpen } from "./path-open.ts";
import { createPollFunctions } from "./poll.ts";
import { createProcessFunctions } from "./process.ts";
import { createRandomFunctions } from "./random.ts";
import { createSockFunctions } from "./sock.ts";
import { createReceiveFunctions } from "./sock-recv.ts";

export type QuickFunction = (...args: never[]) => number;

export interface Attempts {
  /** Imports as they are: they never wait. */
  readonly quick: ReadonlyMap<FunctionName, QuickFunction>;
  /** For a driver to turn into imports. */
  readonly waiting: ReadonlyMap<FunctionName, WaitingAttempt>;
}

export function createAttempts(context: Context, layout: Layout): Attempts {
  const functions: Readonly<Record<FunctionName, QuickFunction>> = {
    ...createArgsFunctions(context),
    ...createClockFunctions(context),
    ...createFileFunctions(context),
    ...createStatFunctions(context, layout),
    ...createPositionFunctions(context, layout),
    ...createDirectoryFunctions(context),
    ...createTransferFunctions(context),
    ...createOffsetFunctions(context),
    ...createPathFunctions(context, layout),
    ...createPathOpen(context),
    ...createPollFunctions(context, layout),
    ...createProcessFunctions(context),
    ...createRandomFunctions(context),
    ...createSockFunctions(context),
    ...createReceiveFunctions(context),
  };
  const quick = new Map<FunctionName, QuickFunction>();
  const waiting = new Map<FunctionName, WaitingAttempt>();
  for (const name of FUNCTION_NAMES) {
    if (FUNCTIONS[name].waits) waiting.set(name, functions[name] as unknown as WaitingAttempt);
    else quick.set(name, functions[name]);
  }
  return { quick, waiting };
}
