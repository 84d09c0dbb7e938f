/**
 * Layouts of the attestation report, in the order of the specification.
 *
 * Source: "SEV Secure Nested Paging Firmware ABI Specification", AMD publication 56860, table ATTESTATION_REPORT
 * and the bit tables it names.
 */
import { defineBits } from "@donjon/core/bits";
import { defineLayout, int, octets, since, zero } from "@donjon/core/layout";

const SOURCE = "AMD 56860, SEV Secure Nested Paging Firmware ABI Specification";

/** Octets that the signature covers: from the start of the report to the signature. */
export const SIGNED_BYTES = 0x2a0;

export const ATTESTATION_REPORT = /* @__PURE__ */ defineLayout({
  name: "ATTESTATION_REPORT",
  source: SOURCE,
  size: 1184,
  byteOrder: "little",
  fields: [
    int(0x000, "version", "u32", "2, 3, 4 or 5"),
    int(0x004, "guestSvn", "u32", "security version of the guest, from its ID block"),
    int(0x008, "policy", "u64", "GUEST_POLICY"),
    octets(0x010, "familyId", 16, "from the ID block"),
    octets(0x020, "imageId", 16, "from the ID block"),
    int(0x030, "vmpl", "u32", "VMPL of the requester, 0 to 3"),
    int(0x034, "signatureAlgo", "u32", "1: ECDSA P-384 with SHA-384"),
    octets(0x038, "currentTcb", 8, "TCB_VERSION of the running firmware"),
    int(0x040, "platformInfo", "u64", "PLATFORM_INFO"),
    int(0x048, "keyInfo", "u32", "KEY_INFO"),
    zero(0x04c, 4),
    octets(0x050, "reportData", 64, "what the guest asked to have signed"),
    octets(0x090, "measurement", 48, "launch digest"),
    octets(0x0c0, "hostData", 32, "what the host gave at launch"),
    octets(0x0e0, "idKeyDigest", 48, "SHA-384 of the key that signed the ID block"),
    octets(0x110, "authorKeyDigest", 48, "SHA-384 of the key that certified the ID key"),
    octets(0x140, "reportId", 32, "this guest's instance"),
    octets(0x160, "reportIdMa", 32, "its migration agent's instance"),
    octets(0x180, "reportedTcb", 8, "TCB_VERSION that the signing key is derived from"),
    since(3, int(0x188, "cpuidFamId", "u8", "family, extended family added")),
    since(3, int(0x189, "cpuidModId", "u8", "model, extended model joined")),
    since(3, int(0x18a, "cpuidStep", "u8", "stepping")),
    zero(0x18b, 21),
    octets(
      0x1a0,
      "chipId",
      64,
      "unique to the chip; all zero when masked; 8 octets and zeros on Turin",
    ),
    octets(0x1e0, "committedTcb", 8, "TCB_VERSION below which the firmware cannot go back"),
    int(0x1e8, "currentBuild", "u8", "running firmware"),
    int(0x1e9, "currentMinor", "u8", "running firmware"),
    int(0x1ea, "currentMajor", "u8", "running firmware"),
    zero(0x1eb, 1),
    int(0x1ec, "committedBuild", "u8", "committed firmware"),
    int(0x1ed, "committedMinor", "u8", "committed firmware"),
    int(0x1ee, "committedMajor", "u8", "committed firmware"),
    zero(0x1ef, 1),
    octets(0x1f0, "launchTcb", 8, "TCB_VERSION when the guest was launched or imported"),
    since(5, int(0x1f8, "launchMitVector", "u64", "verified mitigations at launch")),
    since(5, int(0x200, "currentMitVector", "u64", "verified mitigations now")),
    zero(0x208, 152),
    octets(0x2a0, "signatureR", 48, "little-endian"),
    zero(0x2d0, 24),
    octets(0x2e8, "signatureS", 48, "little-endian"),
    zero(0x318, 24),
    zero(0x330, 368),
  ],
});

export const GUEST_POLICY = /* @__PURE__ */ defineBits({
  name: "GUEST_POLICY",
  source: SOURCE,
  width: 64,
  fields: [
    { bit: 0, width: 8, name: "abiMinor", says: "least minor version of the firmware ABI" },
    { bit: 8, width: 8, name: "abiMajor", says: "least major version of the firmware ABI" },
    { bit: 16, width: 1, name: "smt", says: "SMT is allowed" },
    { bit: 17, width: 1, name: "reservedOne", says: "must be one" },
    { bit: 18, width: 1, name: "migrateMa", says: "association with a migration agent is allowed" },
    { bit: 19, width: 1, name: "debug", says: "the host may read and write the guest's memory" },
    { bit: 20, width: 1, name: "singleSocket", says: "the guest may run on one socket only" },
    { bit: 21, width: 1, name: "cxlAllow", says: "CXL may be populated with devices or memory" },
    { bit: 22, width: 1, name: "memAes256Xts", says: "AES-256-XTS memory encryption is required" },
    { bit: 23, width: 1, name: "raplDis", says: "RAPL must be disabled" },
    {
      bit: 24,
      width: 1,
      name: "ciphertextHidingDram",
      says: "ciphertext hiding for DRAM must be on",
    },
    {
      bit: 25,
      width: 1,
      name: "pageSwapDisable",
      says: "page move and swap commands are disabled",
    },
  ],
});

export const PLATFORM_INFO = /* @__PURE__ */ defineBits({
  name: "PLATFORM_INFO",
  source: SOURCE,
  width: 64,
  fields: [
    { bit: 0, width: 1, name: "smtEn", says: "SMT is on" },
    { bit: 1, width: 1, name: "tsmeEn", says: "TSME is on" },
    { bit: 2, width: 1, name: "eccEn", says: "the memory has ECC" },
    { bit: 3, width: 1, name: "raplDis", says: "RAPL is off" },
    { bit: 4, width: 1, name: "ciphertextHidingDramEn", says: "ciphertext hiding for DRAM is on" },
    {
      bit: 5,
      width: 1,
      name: "aliasCheckComplete",
      says: "memory alias check passed since the last reset",
    },
    { bit: 7, width: 1, name: "tioEn", says: "SEV-TIO is on" },
  ],
});

export const KEY_INFO = /* @__PURE__ */ defineBits({
  name: "KEY_INFO",
  source: SOURCE,
  width: 32,
  fields: [
    { bit: 0, width: 1, name: "authorKeyEn", says: "AUTHOR_KEY_DIGEST is present" },
    { bit: 1, width: 1, name: "maskChipKey", says: "the host asked not to sign with a chip key" },
    { bit: 2, width: 3, name: "signingKey", says: "0 VCEK, 1 VLEK, 7 none" },
  ],
});
