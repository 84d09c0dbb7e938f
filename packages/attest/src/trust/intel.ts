/** Intel's trust root for SGX and TDX, as facts in place of its certificate. */

/** A root authority of quotes: the key, and the name that stands in what it issues. */
export interface IntelRoot {
  readonly commonName: string;
  /** SubjectPublicKeyInfo, base64. */
  readonly spki: string;
}

/**
 * Source: https://certificates.trustedservices.intel.com/IntelSGXRootCA.der. Intel has issued two certificates for
 * this one key: until 2033, SHA-256 fc64f8076d79a4fee9d1d473d74c89eb8d8fd55c5abafeabeba7366d20429404, and until 2049,
 * SHA-256 44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3; so the key is pinned.
 */
export const INTEL_SGX_ROOT: IntelRoot = {
  commonName: "Intel SGX Root CA",
  spki: "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEC6nEwMDIYZOj/iPWsCzaEKi71OiOSLRFhWGjbnBVJfVnkY4u3IjkDYYL0MxO4mqsyYjlBalTVYxFP2sJBK5zlA==",
};

/** What common names of Intel's certificates end with; simulated ones put a word before it (Intel SGX PCK Certificate and CRL Profile Specification, section 1.3). */
export const INTEL_NAME = {
  pck: "Intel SGX PCK Certificate",
  pckAuthorities: ["Intel SGX PCK Platform CA", "Intel SGX PCK Processor CA"],
  tcbSigning: "Intel SGX TCB Signing",
} as const;

/** Extensions of PCK certificates (same specification, section 1.3.5), and carriers of quotes in certificates. */
export const INTEL_OID = {
  sgxExtensions: "1.2.840.113741.1.13.1",
  ppid: "1.2.840.113741.1.13.1.1",
  tcb: "1.2.840.113741.1.13.1.2",
  pceSvn: "1.2.840.113741.1.13.1.2.17",
  cpuSvn: "1.2.840.113741.1.13.1.2.18",
  pceId: "1.2.840.113741.1.13.1.3",
  fmspc: "1.2.840.113741.1.13.1.4",
  sgxType: "1.2.840.113741.1.13.1.5",
  platformInstanceId: "1.2.840.113741.1.13.1.6",
  configuration: "1.2.840.113741.1.13.1.7",
  dynamicPlatform: "1.2.840.113741.1.13.1.7.1",
  cachedKeys: "1.2.840.113741.1.13.1.7.2",
  smtEnabled: "1.2.840.113741.1.13.1.7.3",
} as const;
