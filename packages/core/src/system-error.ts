/** What the operating system said, without its code, its call and the path once more: `no such file or directory`. */
export function explainSystemError(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message.replace(/^E[A-Z0-9]+: /, "").replace(/, [a-z]+(?: '.*')?$/s, "");
}
