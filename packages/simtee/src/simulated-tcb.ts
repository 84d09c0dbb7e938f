/** Security versions that the simulated platforms run, and older ones for tests of who must notice. */

/** SNP firmware, by component (AMD 56860, TCB_VERSION). */
export interface SnpTcb {
  /** Turin only. */
  readonly fmc?: number;
  readonly bootloader: number;
  readonly tee: number;
  readonly snp: number;
  readonly microcode: number;
}

/** An SGX platform, as its PCK certificate states it. */
export interface SgxTcb {
  /** 16 security versions. */
  readonly components: readonly number[];
  readonly pceSvn: number;
}

export interface SimulatedTcb {
  readonly snp: SnpTcb;
  readonly sgx: SgxTcb;
}

/** 0xdb needs two octets as a DER INTEGER, like many genuine microcode versions. */
export const CURRENT_TCB: SimulatedTcb = {
  snp: { bootloader: 10, tee: 2, snp: 24, microcode: 0xdb },
  sgx: { components: [5, 5, 2, 2, 3, 1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0], pceSvn: 11 },
};

/** Below `CURRENT_TCB` in every component that is not zero; the simulated TCB info lists it as OutOfDate. */
export const OLD_TCB: SimulatedTcb = {
  snp: { bootloader: 7, tee: 1, snp: 14, microcode: 0xd1 },
  sgx: { components: [4, 4, 1, 1, 2, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0], pceSvn: 10 },
};

/** Family, model, stepping and platform: one that no genuine TCB info is for. */
export const FMSPC: Uint8Array = Uint8Array.of(0x5a, 0x80, 0x6f, 0, 0, 0);
