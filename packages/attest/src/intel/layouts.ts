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
    int(0, "version", "u16"),
    int(2, "attestationKeyType", "u16"),
    zero(4, 4),
    int(8, "qeSvn", "u16"),
    int(10, "pceSvn", "u16"),
    octets(12, "qeVendorId", 16),
    octets(28, "userData", 20),
  ],
});

export const QUOTE_HEADER = /* @__PURE__ */ defineLayout({
  name: "Quote header, versions 4 and 5",
  source: "Intel TDX DCAP Quoting Library API, A.3.1",
  size: 48,
  byteOrder: "little",
  fields: [
    int(0, "version", "u16"),
    int(2, "attestationKeyType", "u16"),
    int(4, "teeType", "u32"),
    zero(8, 4),
    octets(12, "qeVendorId", 16),
    octets(28, "userData", 20),
  ],
});

export const QUOTE_BODY_DESCRIPTOR = /* @__PURE__ */ defineLayout({
  name: "Quote body descriptor, version 5",
  source: "Intel TDX DCAP Quoting Library API, A.4",
  size: 6,
  byteOrder: "little",
  fields: [int(0, "bodyType", "u16"), int(2, "size", "u32")],
});

/** The report of an enclave: the body of SGX quotes, and how a quoting enclave vouches for its key. */
export const ENCLAVE_REPORT = /* @__PURE__ */ defineLayout({
  name: "SGX report body",
  source: "Intel SDM volume 3D, REPORT structure",
  size: 384,
  byteOrder: "little",
  fields: [
    octets(0, "cpuSvn", 16),
    int(16, "miscSelect", "u32"),
    zero(20, 12),
    octets(32, "isvExtProdId", 16),
    octets(48, "attributes", 16),
    octets(64, "mrEnclave", 32),
    zero(96, 32),
    octets(128, "mrSigner", 32),
    zero(160, 32),
    octets(192, "configId", 64),
    int(256, "isvProdId", "u16"),
    int(258, "isvSvn", "u16"),
    int(260, "configSvn", "u16"),
    zero(262, 42),
    octets(304, "isvFamilyId", 16),
    octets(320, "reportData", 64),
  ],
});
