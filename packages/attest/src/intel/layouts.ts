/**
 * Layouts that SGX and TDX quotes share.
 *
 * Sources: Intel TDX DCAP Quoting Library API (quote versions 4 and 5), Intel SGX ECDSA QuoteGenReference
 * (version 3, appendix A.4), Intel SDM volume 3D, table "REPORT structure".
 */
import { defineLayout, int, octets, zero } from "@donjon/core/layout";

export const QUOTE_HEADER_V3 = /* @__PURE__ */ defineLayout({
  name: "Quote header, version 3",
  source: "Intel SGX ECDSA QuoteGenReference, A.4, table 3",
  size: 48,
  byteOrder: "little",
  fields: [
    int(0, "version", "u16", "3"),
    int(2, "attestationKeyType", "u16", "2: ECDSA-256-with-P-256"),
    zero(4, 4),
    int(8, "qeSvn", "u16", "security version of the quoting enclave"),
    int(10, "pceSvn", "u16", "security version of the provisioning certification enclave"),
    octets(12, "qeVendorId", 16, "939a7233-f79c-4ca9-940a-0db3957f0607 is Intel"),
    octets(28, "userData", 20, "custom; Intel's library puts a platform identifier here"),
  ],
});

export const QUOTE_HEADER = /* @__PURE__ */ defineLayout({
  name: "Quote header, versions 4 and 5",
  source: "Intel TDX DCAP Quoting Library API, A.3.1",
  size: 48,
  byteOrder: "little",
  fields: [
    int(0, "version", "u16", "4 or 5"),
    int(2, "attestationKeyType", "u16", "2: ECDSA-256-with-P-256"),
    int(4, "teeType", "u32", "0x00 SGX, 0x81 TDX"),
    zero(8, 4),
    octets(12, "qeVendorId", 16, "939a7233-f79c-4ca9-940a-0db3957f0607 is Intel"),
    octets(28, "userData", 20, "custom; Intel's library puts a platform identifier here"),
  ],
});

export const QUOTE_BODY_DESCRIPTOR = /* @__PURE__ */ defineLayout({
  name: "Quote body descriptor, version 5",
  source: "Intel TDX DCAP Quoting Library API, A.4",
  size: 6,
  byteOrder: "little",
  fields: [
    int(0, "bodyType", "u16", "1 SGX, 2 TD 1.0, 3 TD 1.5, 4 TD 1.5 extended"),
    int(2, "size", "u32", "octets of the body"),
  ],
});

/** The report of an enclave: the body of SGX quotes, and how a quoting enclave vouches for its key. */
export const ENCLAVE_REPORT = /* @__PURE__ */ defineLayout({
  name: "SGX report body",
  source: "Intel SDM volume 3D, REPORT structure",
  size: 384,
  byteOrder: "little",
  fields: [
    octets(0, "cpuSvn", 16, "security version of the processor"),
    int(16, "miscSelect", "u32", "MISCSELECT of the enclave's SECS"),
    zero(20, 12),
    octets(32, "isvExtProdId", 16, "extended product, with key separation and sharing"),
    octets(48, "attributes", 16, "ATTRIBUTES: flags and XFRM"),
    octets(64, "mrEnclave", 32, "digest of what was loaded"),
    zero(96, 32),
    octets(128, "mrSigner", 32, "digest of the key that signed the enclave"),
    zero(160, 32),
    octets(192, "configId", 64, "configuration, with key separation and sharing"),
    int(256, "isvProdId", "u16", "product, as the signer numbers it"),
    int(258, "isvSvn", "u16", "security version, as the signer numbers it"),
    int(260, "configSvn", "u16", "security version of the configuration"),
    zero(262, 42),
    octets(304, "isvFamilyId", 16, "family, with key separation and sharing"),
    octets(320, "reportData", 64, "what the enclave asked to have signed"),
  ],
});
