/** What the errors of a TCP listener mean, and what to do. */
const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "something else listens there; end it, or choose another port",
  EACCES: "this user may not use a port this low; choose one from 1024 on",
  EADDRNOTAVAIL:
    "this machine has no such address; choose one that it has, or 0.0.0.0 or :: for all that it has",
  ENOTFOUND: "no host has this name; give an address of this machine",
  EAI_AGAIN: "its name cannot be looked up now; try again, or give an address of this machine",
};

export function explainListenError(cause: NodeJS.ErrnoException): string {
  return REASONS[cause.code ?? ""] ?? cause.message;
}
