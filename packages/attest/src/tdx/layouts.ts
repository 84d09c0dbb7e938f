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
  octets(0, "teeTcbSvn", 16),
  octets(16, "mrSeam", 48),
  octets(64, "mrSignerSeam", 48),
  octets(112, "seamAttributes", 8),
  octets(120, "tdAttributes", 8),
  octets(128, "xfam", 8),
  octets(136, "mrTd", 48),
  octets(184, "mrConfigId", 48),
  octets(232, "mrOwner", 48),
  octets(280, "mrOwnerConfig", 48),
  octets(328, "rtmr0", 48),
  octets(376, "rtmr1", 48),
  octets(424, "rtmr2", 48),
  octets(472, "rtmr3", 48),
  octets(520, "reportData", 64),
] as const;

const TD_1_5 = [...TD_1_0, octets(584, "teeTcbSvn2", 16), octets(600, "mrServiceTd", 48)] as const;

const TD_1_5_EX = [
  ...TD_1_5,
  int(648, "vmid", "u8"),
  octets(649, "tdId", 32),
  octets(681, "devInfo", 48),
  octets(729, "initServTdHash", 48),
  octets(777, "initServTdAttributes", 8),
  octets(785, "initCpuSvn", 16),
  octets(801, "initTeeTcbSvn", 16),
  octets(817, "initTeeFmspc", 12),
  octets(829, "curServTdHash", 48),
  octets(877, "curServTdAttributes", 8),
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
    { bit: 0, width: 1, name: "debug" },
    { bit: 28, width: 1, name: "septVeDisable" },
    { bit: 29, width: 1, name: "migratable" },
    { bit: 30, width: 1, name: "pks" },
    { bit: 31, width: 1, name: "keyLocker" },
    { bit: 63, width: 1, name: "perfmon" },
  ],
});
