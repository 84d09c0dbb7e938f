/** What both ends of an attested session's TLS must agree on; each has one file that does the rest (README, session). */

/** Application protocol (RFC 7301) with the version of the session in it. */
export const SESSION_ALPN = "donjon/3";
/** TLS 1.3 with AES-128-GCM: the fastest wherever there are TEEs, since all of their processors have instructions for it. */
export const SESSION_CIPHERS = "TLS_AES_128_GCM_SHA256";
