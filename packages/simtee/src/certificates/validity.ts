/** From when to when a certificate or list holds. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}
