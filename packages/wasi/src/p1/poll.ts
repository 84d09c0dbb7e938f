/** Waiting for time and for descriptors, all at once. */
import { HUNG_UP } from "../capability/stream.ts";
import { Errno, type Outcome, PENDING } from "../errno.ts";
import type { Wait } from "./attempt.ts";
import type { Context } from "./context.ts";
import type { Descriptor } from "./descriptor.ts";
import type { Layout } from "./layout.ts";
import type { GuestMemory } from "./memory.ts";
import { ClockId, Eventrwflags, Eventtype, SUBCLOCKFLAGS_ALL, Subclockflags } from "./witx.ts";

/** Subscriptions of one call; more are `nomem`, as when wasmtime's limit is reached. */
export const MAX_SUBSCRIPTIONS = 65_536;

const EVENT_SIZE = 32;
const TYPE = 8;
const FD = 16;

export function createPollFunctions(context: Context, { subscription }: Layout) {
  const { memory, table, clock } = context;

  /**
   * `poll_oneoff(in: const_pointer<subscription>, out: pointer<event>, nsubscriptions: size) ->
   * (size, errno)`; right `poll_fd_readwrite`. Answers when at least one subscription has an event.
   * `inval`: no subscription, an unknown type or flag, a clock of CPU time; `badf`: a descriptor
   * that cannot do what is waited for (as wasmtime; the witx would allow it as an event). May wait.
   */
  function poll_oneoff(wait: Wait, subs: number, out: number, count: number, result: number) {
    subs >>>= 0;
    out >>>= 0;
    count >>>= 0;
    result >>>= 0;
    if (count === 0) return Errno.inval;
    if (!memory.has(subs, count * subscription.size)) return Errno.fault;
    if (!memory.has(out, count * EVENT_SIZE) || !memory.has(result, 4)) return Errno.fault;
    if (count > MAX_SUBSCRIPTIONS) return Errno.nomem;
    return poll(wait, subs, out, count, result);
  }

  function poll(wait: Wait, subs: number, out: number, count: number, result: number): Outcome {
    const now = clock.monotonic();
    const since = wait.since ?? now;
    let events = 0;
    let earliest: bigint | null = null;
    for (let index = 0; index < count; index++) {
      const at = subs + index * subscription.size;
      const type = memory.bytes[at + TYPE]!;
      if (type === Eventtype.clock) {
        const deadline = deadlineOf(at + subscription.clock, since, now);
        if (deadline === null) return Errno.inval;
        if (deadline <= now) putEvent(memory, out + EVENT_SIZE * events++, at, type, 0);
        else if (earliest === null || deadline < earliest) earliest = deadline;
      } else if (type === Eventtype.fdRead || type === Eventtype.fdWrite) {
        const ready = readiness(table.get(memory.u32(at + FD)), type === Eventtype.fdRead);
        if (ready === null) return Errno.badf;
        if (ready !== 0) putEvent(memory, out + EVENT_SIZE * events++, at, type, ready);
      } else return Errno.inval;
    }
    if (events === 0) {
      wait.since = since;
      wait.deadline = earliest;
      return PENDING;
    }
    memory.setU32(result, events);
    return Errno.success;
  }

  /**
   * When a clock subscription is due, on the monotonic clock; `null`: not a clock to wait for.
   * A relative time starts with the first attempt. An absolute time of the real clock is looked at
   * anew in every attempt, so that it follows the clock when that is set.
   */
  function deadlineOf(at: number, since: bigint, now: bigint): bigint | null {
    const id = memory.u32(at);
    const timeout = memory.u64(at + 8);
    const flags = memory.u16(at + 24);
    if ((flags & ~SUBCLOCKFLAGS_ALL) !== 0) return null;
    if (id !== ClockId.monotonic && id !== ClockId.realtime) return null;
    if ((flags & Subclockflags.subscriptionClockAbstime) === 0) return since + timeout;
    return id === ClockId.monotonic ? timeout : now + timeout - clock.realtime();
  }

  return { poll_oneoff };
}

/** Bytes (or connections) that will not wait, 0, `HUNG_UP`; `null`: it cannot do that at all. */
function readiness(descriptor: Descriptor | undefined, read: boolean): number | null {
  switch (descriptor?.kind) {
    case "stream": {
      const half = read ? descriptor.input : descriptor.output;
      return half === null ? null : half.ready();
    }
    case "file":
      return read ? Math.max(descriptor.node.size - descriptor.position, 0) || HUNG_UP : 1;
    case "listener":
      return read ? descriptor.listener.ready() : null;
    default:
      return null;
  }
}

/** Puts the event of the subscription at `from`; `ready`: its bytes, or `HUNG_UP`. */
function putEvent(
  memory: GuestMemory,
  at: number,
  from: number,
  type: number,
  ready: number,
): void {
  const userdata = memory.u64(from);
  memory.bytes.fill(0, at, at + EVENT_SIZE);
  memory.setU64(at, userdata);
  memory.bytes[at + 10] = type;
  if (ready === HUNG_UP) memory.bytes[at + 24] = Eventrwflags.fdReadwriteHangup;
  else memory.setU64(at + 16, BigInt(ready));
}
