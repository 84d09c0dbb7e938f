/**
 * Layouts of the TD report in quotes, in the order of the specification.
 *
 * Sources: Intel TDX DCAP Quoting Library API, A.3.2 (TD report) and A.4 (version 5); Intel TDX Module ABI, TD_PARAMS.
 */
import { defineBits } from "@donjon/core/bits";
import { defineLayout, int, octets } from "@donjon/core/layout";

const SOURCE = "Intel TDX DCAP Quoting Library API, A.3.2 and A.4";

/** Each body begins with the one before it. */
const TD_1_0 = [
  octets(
    0,
    "teeTcbSvn",
    16,
    "security versions of the TDX module; octet 0 its own, octet 1 its version",
  ),
  octets(16, "mrSeam", 48, "digest of the TDX module"),
  octets(64, "mrSignerSeam", 48, "signer of the TDX module; zero for Intel"),
  octets(112, "seamAttributes", 8, "must be zero for a production module"),
  octets(120, "tdAttributes", 8, "TD attributes"),
  octets(128, "xfam", 8, "extended features that the TD may use"),
  octets(136, "mrTd", 48, "digest of what the TD started with"),
  octets(184, "mrConfigId", 48, "configuration, from the host at start"),
  octets(232, "mrOwner", 48, "owner, from the host at start"),
  octets(280, "mrOwnerConfig", 48, "owner's configuration, from the host at start"),
  octets(328, "rtmr0", 48, "runtime register: firmware and its configuration"),
  octets(376, "rtmr1", 48, "runtime register: boot loader, kernel"),
  octets(424, "rtmr2", 48, "runtime register: kernel command line, system"),
  octets(472, "rtmr3", 48, "runtime register: application"),
  octets(520, "reportData", 64, "what the TD asked to have signed"),
] as const;

const TD_1_5 = [
  ...TD_1_0,
  octets(584, "teeTcbSvn2", 16, "security versions of the TDX module that runs now"),
  octets(600, "mrServiceTd", 48, "digest over the service TDs that are bound"),
] as const;

const TD_1_5_EX = [
  ...TD_1_5,
  int(648, "vmid", "u8", "partition that asked; 0 is the TD itself"),
  octets(649, "tdId", 32, "this TD's instance, kept across migration"),
  octets(681, "devInfo", 48, "digest of the device information"),
  octets(729, "initServTdHash", 48, "service TDs at start, or the migration policy"),
  octets(777, "initServTdAttributes", 8, "attributes of the service TDs at start"),
  octets(785, "initCpuSvn", 16, "CPUSVN when the TD was created"),
  octets(801, "initTeeTcbSvn", 16, "TEE_TCB_SVN when the TD was created"),
  octets(817, "initTeeFmspc", 12, "FMSPC of the platform on which the TD was created"),
  octets(829, "curServTdHash", 48, "service TDs now"),
  octets(877, "curServTdAttributes", 8, "attributes of the service TDs now"),
] as const;

const common = { source: SOURCE, byteOrder: "little" } as const;

export const TD_REPORT_1_0 = /* @__PURE__ */ defineLayout({
  ...common,
  name: "TD report 1.0",
  size: 584,
  fields: TD_1_0,
});
export const TD_REPORT_1_5 = /* @__PURE__ */ defineLayout({
  ...common,
  name: "TD report 1.5",
  size: 648,
  fields: TD_1_5,
});
export const TD_REPORT_1_5_EX = /* @__PURE__ */ defineLayout({
  ...common,
  name: "TD report 1.5 extended",
  size: 885,
  fields: TD_1_5_EX,
});

export const TD_ATTRIBUTES = /* @__PURE__ */ defineBits({
  name: "TD attributes",
  source: "Intel TDX Module ABI, ATTRIBUTES",
  width: 64,
  fields: [
    { bit: 0, width: 1, name: "debug", says: "the host may read and write the TD's memory" },
    { bit: 28, width: 1, name: "septVeDisable", says: "no #VE on access to pending pages" },
    { bit: 29, width: 1, name: "migratable", says: "the TD may be migrated" },
    { bit: 30, width: 1, name: "pks", says: "supervisor protection keys may be used" },
    { bit: 31, width: 1, name: "keyLocker", says: "Key Locker may be used" },
    { bit: 63, width: 1, name: "perfmon", says: "performance monitoring may be used" },
  ],
});
