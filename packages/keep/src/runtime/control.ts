/** The layout of the shared words that every worker of a workload and the gate thread know. */
import { INITIAL_CREDIT } from "@donjon/protocol/limits";
import { DOORBELL_WORDS } from "./doorbell.ts";
import { ringBytes } from "./ring.ts";

/** The doorbell of the thread that holds the descriptors. */
export const WORKER_BELL = 0;
/** The doorbell of the gate thread. */
export const GATE_BELL = 16;
/** One bit per stream that the gate thread should look at. */
export const DIRTY = 32;
/** Streams at once: stdio, listeners, connections. */
export const MAX_STREAMS = 16_384;
export const CONTROL_WORDS = DIRTY + MAX_STREAMS / 32;

/**
 * Capacity of the rings of stdin, stdout and stderr: two fast threads rarely wake each other, and all that a client may send ahead
 * fits, so that none of it waits outside and is copied twice. Nothing of it is in memory before it is used.
 */
export const STDIO_RING_BYTES = INITIAL_CREDIT;
/** Capacity of each direction of a connection: small, because there may be thousands. */
export const CONNECTION_RING_BYTES = 32 << 10;
/** Byte offset of the ring that carries bytes from the workload, in a connection's shared memory. */
export const FROM_WORKLOAD = ringBytes(CONNECTION_RING_BYTES);
/** Connections that the gate thread hands to the worker before the workload asks for them, per listener. */
export const ACCEPT_AHEAD = 16;

if (WORKER_BELL + DOORBELL_WORDS > GATE_BELL) throw new RangeError("the doorbells overlap");
