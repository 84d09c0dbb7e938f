/** Milliseconds since this process began, monotonic. Unlike `performance.now()` it loads nothing. */
export function uptimeMs(): number {
  return process.uptime() * 1000;
}
