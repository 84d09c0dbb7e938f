/** Limits on everything that another party can choose on the wire. */

/** Octets of one session frame's payload. Large enough to amortise, small enough to buffer. */
export const MAX_FRAME_BYTES = 1 << 20;
/** Octets of one control message (JSON). */
export const MAX_MESSAGE_BYTES = 256 << 10;
/** Octets a sender may send on a channel before the receiver grants more. */
export const INITIAL_CREDIT = 4 << 20;
/** Octets that may be open on a channel at any time, whatever the receiver grants. */
export const MAX_CREDIT = 1 << 30;
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
/** Of these, those that connections of listeners leave free: whoever fills a listener must not keep the owner out. */
export const RESERVED_GATE_STREAMS = 512;
/** Octets that one gate stream may carry unread, in each direction. */
export const GATE_STREAM_WINDOW = 256 << 10;
/** The same for a session, of which there are few and on which everything of a run travels. */
export const GATE_SESSION_WINDOW = 1 << 20;
/** Characters of a listener's name. */
export const MAX_LISTENER_NAME = 256;
/** Octets of one console line; a longer one is cut. */
export const MAX_CONSOLE_LINE = 4096;
/** Octets of what a gate stream is opened for, for example `listen:web` or `db.internal:5432`. */
export const MAX_GATE_TARGET_BYTES = 1024;
/** Octets of the sentence that says why a gate stream was refused. */
export const MAX_GATE_REASON_BYTES = 1024;
/** Time that a connection has to pass on what an ended workload wrote to it. */
export const DRAIN_MS = 10_000;
/** Time that a TLS handshake may take, and how many may be under way at once. */
export const TLS_HANDSHAKE_MS = 10_000;
export const MAX_HANDSHAKES = 1024;
/** Console lines that the host takes from one Keep. */
export const MAX_CONSOLE_LINES = 10_000;
/** Time that a Keep waits for its owner to end the session after the last message. */
export const LINGER_MS = 5_000;
/** Octets of evidence with all that comes with it, as it travels in a session. */
export const MAX_EVIDENCE_BYTES = 128 << 10;
/** Octets that a platform's evidence for one request may have, and the time that it may take. */
export const MAX_PLATFORM_EVIDENCE_BYTES = 96 << 10;
export const EVIDENCE_MS = 30_000;
/** Requests for evidence of one session that may be unanswered. */
export const MAX_EVIDENCE_REQUESTS = 16;
/** Sessions that one Keep has open at once, and the time that one may be silent before it greets. */
export const MAX_SESSIONS = 256;
export const GREETING_MS = 30_000;
/** Octets of output that a Keep holds for a detached workload. */
export const JOURNAL_BYTES = 1 << 20;
/** The same while an attached session is still reading: one that falls further behind is closed. */
export const JOURNAL_FOLLOWED_BYTES = 16 << 20;
/** Octets and time of a request for evidence on a TLS listener; beyond, the connection is the workload's. */
export const MAX_ATTESTATION_REQUEST_BYTES = 8 << 10;
export const ATTESTATION_REQUEST_MS = 5_000;
/** Such requests that one Keep answers in a second, and that may wait for evidence at once: sessions need it too. */
export const MAX_ATTESTATIONS_PER_SECOND = 20;
export const MAX_WAITING_ATTESTATIONS = 8;
/** Age at which the evidence in a TLS listener's certificate is made anew. */
export const CERTIFICATE_EVIDENCE_MS = 3_600_000;
/** Time that a client waits for a sign that what it provisions arrives, then that it starts: a link that carries 4 kB/s gives one in time. */
export const PROVISION_STALL_MS = 300_000;
