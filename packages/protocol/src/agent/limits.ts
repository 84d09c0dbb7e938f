/** Limits on what an agent and its clients may send each other. */

/** Octets of a request's body. */
export const MAX_REQUEST_BYTES = 64 << 10;
/** Octets of an answer's body that a client reads. */
export const MAX_ANSWER_BYTES = 8 << 20;
/** Keeps in one answer. */
export const MAX_LISTED_KEEPS = 4096;
/** Labels of one Keep, and characters of a label's value. */
export const MAX_LABELS = 32;
export const MAX_LABEL_VALUE = 256;
/** Listeners, and connections, of one Keep. */
export const MAX_LISTENERS = 64;
export const MAX_CONNECTIONS = 256;
/** Network rules of a caller, for connections as for listeners, and characters of each. */
export const MAX_NETWORK_RULES = 64;
export const MAX_NETWORK_RULE = 320;
/** Octets of console lines that are kept of one Keep. */
export const MAX_CONSOLE_BYTES = 1 << 20;
/** Characters of the public roots of a simulated security processor. */
export const MAX_TRUST_CHARACTERS = 256 << 10;
/** A Keep may not be given less: the engine alone needs this much. */
export const MIN_MEMORY_BYTES = 64 << 20;
