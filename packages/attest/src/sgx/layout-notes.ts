/** What the attributes of enclaves mean, in words; `docs/formats` prints it beside the table of `claims.ts`. */
export const SGX_NOTES = {
  ATTRIBUTES: {
    init: "the enclave is initialised",
    debug: "the host may read and write the enclave's memory",
    mode64Bit: "the enclave runs in 64-bit mode",
    provisionKey: "the enclave may get the provisioning key",
    einitTokenKey: "the enclave may get the launch token key",
    cet: "control-flow enforcement is on",
    kss: "key separation and sharing is on",
    aexNotify: "threads may be told of asynchronous exits",
  },
} as const;
