/** What the fields of quotes hold, in words; `docs/formats` prints it beside the tables of `layouts.ts`. */
export const INTEL_NOTES = {
  "SGX report body": {
    cpuSvn: "security version of the processor",
    miscSelect: "MISCSELECT of the enclave's SECS",
    isvExtProdId: "extended product, with key separation and sharing",
    attributes: "ATTRIBUTES: flags and XFRM",
    mrEnclave: "digest of what was loaded",
    mrSigner: "digest of the key that signed the enclave",
    configId: "configuration, with key separation and sharing",
    isvProdId: "product, as the signer numbers it",
    isvSvn: "security version, as the signer numbers it",
    configSvn: "security version of the configuration",
    isvFamilyId: "family, with key separation and sharing",
    reportData: "what the enclave asked to have signed",
  },
  "Quote body descriptor, version 5": {
    bodyType: "1 SGX, 2 TD 1.0, 3 TD 1.5, 4 TD 1.5 extended",
    size: "octets of the body",
  },
  "Quote header, versions 4 and 5": {
    version: "4 or 5",
    attestationKeyType: "2: ECDSA-256-with-P-256",
    teeType: "0x00 SGX, 0x81 TDX",
    qeVendorId: "939a7233-f79c-4ca9-940a-0db3957f0607 is Intel",
    userData: "custom; Intel's library puts a platform identifier here",
  },
  "Quote header, version 3": {
    version: "3",
    attestationKeyType: "2: ECDSA-256-with-P-256",
    qeSvn: "security version of the quoting enclave",
    pceSvn: "security version of the provisioning certification enclave",
    qeVendorId: "939a7233-f79c-4ca9-940a-0db3957f0607 is Intel",
    userData: "custom; Intel's library puts a platform identifier here",
  },
} as const;
