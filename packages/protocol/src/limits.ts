/** Limits on everything that another party can choose on the wire. */

/** Octets of one session frame's payload. Large enough to amortise, small enough to buffer. */
export const MAX_FRAME_BYTES = 1 << 20;
/** Octets of one control message (JSON). */
export const MAX_MESSAGE_BYTES = 256 << 10;
/** Octets a sender may send on a channel before the receiver grants more. */
export const INITIAL_CREDIT = 4 << 20;
/** Octets of a manifest. */
export const MAX_MANIFEST_BYTES = 1 << 20;
/** Octets of a workload module. */
export const MAX_WORKLOAD_BYTES = 512 << 20;
/** Octets of one packed tree. */
export const MAX_TREE_BYTES = 8 * 2 ** 30;
/** Packed trees of one workload. */
export const MAX_TREES = 64;
/** Octets of one secret's value. */
export const MAX_SECRET_BYTES = 1 << 20;
/** Secrets of one workload. */
export const MAX_SECRETS = 256;
/** Connections that wait for a workload to accept them, per listener. */
export const MAX_BACKLOG = 4096;
/** Streams open at once on one pipe of the gate. */
export const MAX_GATE_STREAMS = 8192;
