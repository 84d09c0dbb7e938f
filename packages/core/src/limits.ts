/** Limits on formats that this package reads. Each names its unit and says why it is what it is. */

/** Octets of one blob handed to a reader that does not say otherwise: far above any evidence, far below harm. */
export const MAX_INPUT_BYTES = 16 << 20;
