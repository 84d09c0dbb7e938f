/** From when to when a certificate or list holds. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** RFC 3339 to the second, as Intel and our own formats write it. */
export function rfc3339(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
