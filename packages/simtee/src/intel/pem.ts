export function encodePem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

/** Certification data of type 5: the PCK chain as Intel's quoting enclave writes it, with a NUL at the end. */
export function encodePckChain(ders: readonly Uint8Array[]): {
  readonly type: number;
  readonly data: Uint8Array;
} {
  return { type: 5, data: new TextEncoder().encode(`${ders.map(encodePem).join("")}\0`) };
}
