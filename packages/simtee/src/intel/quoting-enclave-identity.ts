/** The quoting enclave that the simulated Intel vouches for. */
export const QE_SVN = 8;
export const QE_MR_SIGNER: Uint8Array = new Uint8Array(32).fill(0x8c);
export const QE_ISV_PROD_ID = { sgx: 1, tdx: 2 } as const;
