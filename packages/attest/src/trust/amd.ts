/** The registry of AMD products: CPUID, TCB form, roots. Nothing else in the library switches on a product. */
import { ARK_GENOA, ARK_MILAN, ARK_TURIN, ASK_GENOA, ASK_MILAN, ASK_TURIN } from "./amd-keys.ts";

/** A certificate authority as facts, in place of its certificate. */
export interface AmdAuthority {
  readonly commonName: string;
  /** INTEGER contents, lower-case hexadecimal. */
  readonly serialNumber: string;
  /** RFC 3339. */
  readonly notBefore: string;
  readonly notAfter: string;
  /** SubjectPublicKeyInfo, base64. */
  readonly spki: string;
}

export type AmdProductName = "Milan" | "Genoa" | "Turin";

/** The authorities of one product. Without `ask` or `asvk` the intermediate must come with the evidence. */
export interface AmdRoot {
  /** `vendor` for AMD's own, as pinned here; `caller` for any other. */
  readonly origin: "vendor" | "caller";
  readonly product: AmdProductName;
  readonly ark: AmdAuthority;
  readonly ask?: AmdAuthority;
  readonly asvk?: AmdAuthority;
}

/** Pinned: what AMD signs SEV-SNP evidence with. `amd-vlek.ts` adds the issuers of VLEKs. */
export const AMD_ROOTS: readonly AmdRoot[] = [
  { origin: "vendor", product: "Milan", ark: ARK_MILAN, ask: ASK_MILAN },
  { origin: "vendor", product: "Genoa", ark: ARK_GENOA, ask: ASK_GENOA },
  { origin: "vendor", product: "Turin", ark: ARK_TURIN, ask: ASK_TURIN },
];

/** Forms of the 8-octet TCB_VERSION, by `structVersion` of the certificate. */
export type TcbForm = 0 | 1;

export interface AmdProduct {
  readonly name: AmdProductName;
  readonly family: number;
  /** Ranges of CPUID models, both ends in. */
  readonly models: readonly (readonly [from: number, to: number])[];
  readonly tcbForm: TcbForm;
  /** Octets of HWID; the rest of CHIP_ID is zero. */
  readonly hwidBytes: number;
}

/**
 * Source: SEV-SNP Firmware ABI (56860), CPUID_FAM_ID and CPUID_MOD_ID; Bergamo and Siena (models A0 to AF) use
 * Genoa's keys. Venice (family 1A, models 50 and up) has no published roots, so it is not here and is refused.
 */
export const AMD_PRODUCTS: readonly AmdProduct[] = [
  { name: "Milan", family: 0x19, models: [[0x00, 0x0f]], tcbForm: 0, hwidBytes: 64 },
  {
    name: "Genoa",
    family: 0x19,
    models: [
      [0x10, 0x1f],
      [0xa0, 0xaf],
    ],
    tcbForm: 0,
    hwidBytes: 64,
  },
  { name: "Turin", family: 0x1a, models: [[0x00, 0x11]], tcbForm: 1, hwidBytes: 8 },
];

export function productByCpuid(family: number, model: number): AmdProduct | undefined {
  return AMD_PRODUCTS.find(
    (product) =>
      product.family === family &&
      product.models.some(([from, to]) => model >= from && model <= to),
  );
}

/** @param name as certificates spell it: `Milan-B0` is Milan with its stepping */
export function productByCertificateName(name: string): AmdProduct | undefined {
  return AMD_PRODUCTS.find((product) => product.name === name.split("-", 1)[0]);
}

/** Extensions of VCEK and VLEK certificates (57230, "VCEK and VLEK certificate extensions"). */
export const AMD_OID = {
  structVersion: "1.3.6.1.4.1.3704.1.1",
  productName: "1.3.6.1.4.1.3704.1.2",
  bootloader: "1.3.6.1.4.1.3704.1.3.1",
  tee: "1.3.6.1.4.1.3704.1.3.2",
  snp: "1.3.6.1.4.1.3704.1.3.3",
  microcode: "1.3.6.1.4.1.3704.1.3.8",
  fmc: "1.3.6.1.4.1.3704.1.3.9",
  hwid: "1.3.6.1.4.1.3704.1.4",
  cspId: "1.3.6.1.4.1.3704.1.5",
} as const;
