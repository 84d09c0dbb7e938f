/** What a simulated security processor signs, and what comes out. */
export interface SimulatedEvidence {
  readonly kind: "snp" | "sgx";
  readonly evidence: Uint8Array;
  /** SNP: GHCB certificate table with VCEK, ASK, ARK and CRL; SGX: empty. */
  readonly auxiliary: Uint8Array;
}

/** What is measured. */
export interface SimulatedLaunch {
  readonly tee: SimulatedEvidence["kind"];
  /** MRENCLAVE (32 octets) or SNP launch digest (48 octets). */
  readonly measurement: Uint8Array;
}

/** Signs 64 octets of report data for a measurement. */
export type Signer = (measurement: Uint8Array, reportData: Uint8Array) => SimulatedEvidence;
