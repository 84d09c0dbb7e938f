/** Reads how a run ended (README, session). */
import {
  MAX_FRAME_NAME,
  MAX_REASON,
  MAX_STACK_FRAMES,
  type RunOutcome,
  type RunUsage,
  type StackFrame,
} from "./outcome.ts";
import {
  array,
  finite,
  integer,
  literal,
  oneOf,
  record,
  type Shape,
  taggedUnion,
  text,
} from "./shape.ts";

const stackFrame: Shape<StackFrame> = record({
  function: text(0, MAX_FRAME_NAME),
  module: text(0, MAX_FRAME_NAME),
  offset: integer(0, 2 ** 32 - 1),
});

export const outcomeShape: Shape<RunOutcome> = taggedUnion<RunOutcome>("kind", {
  exit: record({ kind: literal("exit"), code: integer(0, 2 ** 32 - 1) }),
  trap: record({
    kind: literal("trap"),
    reason: text(0, MAX_REASON),
    frames: array(stackFrame, MAX_STACK_FRAMES),
  }),
  limit: record({
    kind: literal("limit"),
    limit: oneOf("time", "memory", "output"),
    value: finite(Number.MAX_SAFE_INTEGER),
  }),
  stopped: record({ kind: literal("stopped"), how: oneOf("interrupt", "kill") }),
});

export const usageShape: Shape<RunUsage> = record({
  peakMemory: integer(0, Number.MAX_SAFE_INTEGER),
  wallMs: finite(Number.MAX_SAFE_INTEGER),
  cpuMs: finite(Number.MAX_SAFE_INTEGER),
});
