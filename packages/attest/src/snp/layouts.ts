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
    int(0x000, "version", "u32"),
    int(0x004, "guestSvn", "u32"),
    int(0x008, "policy", "u64"),
    octets(0x010, "familyId", 16),
    octets(0x020, "imageId", 16),
    int(0x030, "vmpl", "u32"),
    int(0x034, "signatureAlgo", "u32"),
    octets(0x038, "currentTcb", 8),
    int(0x040, "platformInfo", "u64"),
    int(0x048, "keyInfo", "u32"),
    zero(0x04c, 4),
    octets(0x050, "reportData", 64),
    octets(0x090, "measurement", 48),
    octets(0x0c0, "hostData", 32),
    octets(0x0e0, "idKeyDigest", 48),
    octets(0x110, "authorKeyDigest", 48),
    octets(0x140, "reportId", 32),
    octets(0x160, "reportIdMa", 32),
    octets(0x180, "reportedTcb", 8),
    since(3, int(0x188, "cpuidFamId", "u8")),
    since(3, int(0x189, "cpuidModId", "u8")),
    since(3, int(0x18a, "cpuidStep", "u8")),
    zero(0x18b, 21),
    octets(0x1a0, "chipId", 64),
    octets(0x1e0, "committedTcb", 8),
    int(0x1e8, "currentBuild", "u8"),
    int(0x1e9, "currentMinor", "u8"),
    int(0x1ea, "currentMajor", "u8"),
    zero(0x1eb, 1),
    int(0x1ec, "committedBuild", "u8"),
    int(0x1ed, "committedMinor", "u8"),
    int(0x1ee, "committedMajor", "u8"),
    zero(0x1ef, 1),
    octets(0x1f0, "launchTcb", 8),
    since(5, int(0x1f8, "launchMitVector", "u64")),
    since(5, int(0x200, "currentMitVector", "u64")),
    zero(0x208, 152),
    octets(0x2a0, "signatureR", 48),
    zero(0x2d0, 24),
    octets(0x2e8, "signatureS", 48),
    zero(0x318, 24),
    zero(0x330, 368),
  ],
});

export const GUEST_POLICY = /* @__PURE__ */ defineBits({
  name: "GUEST_POLICY",
  source: SOURCE,
  width: 64,
  fields: [
    { bit: 0, width: 8, name: "abiMinor" },
    { bit: 8, width: 8, name: "abiMajor" },
    { bit: 16, width: 1, name: "smt" },
    { bit: 17, width: 1, name: "reservedOne" },
    { bit: 18, width: 1, name: "migrateMa" },
    { bit: 19, width: 1, name: "debug" },
    { bit: 20, width: 1, name: "singleSocket" },
    { bit: 21, width: 1, name: "cxlAllow" },
    { bit: 22, width: 1, name: "memAes256Xts" },
    { bit: 23, width: 1, name: "raplDis" },
    {
      bit: 24,
      width: 1,
      name: "ciphertextHidingDram",
    },
    {
      bit: 25,
      width: 1,
      name: "pageSwapDisable",
    },
  ],
});

export const PLATFORM_INFO = /* @__PURE__ */ defineBits({
  name: "PLATFORM_INFO",
  source: SOURCE,
  width: 64,
  fields: [
    { bit: 0, width: 1, name: "smtEn" },
    { bit: 1, width: 1, name: "tsmeEn" },
    { bit: 2, width: 1, name: "eccEn" },
    { bit: 3, width: 1, name: "raplDis" },
    { bit: 4, width: 1, name: "ciphertextHidingDramEn" },
    {
      bit: 5,
      width: 1,
      name: "aliasCheckComplete",
    },
    { bit: 7, width: 1, name: "tioEn" },
  ],
});

export const KEY_INFO = /* @__PURE__ */ defineBits({
  name: "KEY_INFO",
  source: SOURCE,
  width: 32,
  fields: [
    { bit: 0, width: 1, name: "authorKeyEn" },
    { bit: 1, width: 1, name: "maskChipKey" },
    { bit: 2, width: 3, name: "signingKey" },
  ],
});
