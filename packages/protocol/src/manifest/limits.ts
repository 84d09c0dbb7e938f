/** Limits on what a manifest may hold; its size as a whole is `MAX_MANIFEST_BYTES`. */

/** Nesting of tables and lists; the schema needs four. */
export const MAX_DEPTH = 16;
export const MAX_ARGS = 4096;
/** UTF-16 code units of one argument, variable or path text. */
export const MAX_TEXT = 128 << 10;
export const MAX_VARIABLES = 4096;
/** UTF-16 code units of the name of a variable, a descriptor or a secret. */
export const MAX_NAME = 128;
/** UTF-16 code units of a guest path; WASI programs commonly hold paths in 4096 bytes. */
export const MAX_GUEST_PATH = 1024;
/** Listeners and connections together share the descriptor table. */
export const MAX_SOCKETS = 512;
export const MAX_MOUNTS = 64;
/** DNS names in a certificate that the Keep makes. */
export const MAX_CERTIFICATE_NAMES = 64;

/** Bytes: what a 32-bit linear memory can hold. */
export const MAX_MEMORY_BYTES = 4 * 2 ** 30;
export const MAX_FILES_BYTES = 64 * 2 ** 30;
/** Milliseconds: 30 days, well below what a timer can hold in sum with any clock. */
export const MAX_TIME_MS = 30 * 24 * 3600 * 1000;
export const MAX_OUTPUT_BYTES = 2 ** 50;
export const MAX_DESCRIPTORS = 65_536;
export const MAX_THREADS = 1024;

/** What holds when the manifest does not say. */
export const DEFAULT_MEMORY_BYTES = MAX_MEMORY_BYTES;
export const DEFAULT_FILES_BYTES = 2 ** 30;
export const DEFAULT_DESCRIPTORS = 4096;
export const DEFAULT_THREADS = 64;
