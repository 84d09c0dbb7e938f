/** What the fields of TD reports hold, in words; `docs/formats` prints it beside the tables of `layouts.ts`. */

const TD_REPORT_1_0 = {
  teeTcbSvn: "security versions of the TDX module; octet 0 its own, octet 1 its version",
  mrSeam: "digest of the TDX module",
  mrSignerSeam: "signer of the TDX module; zero for Intel",
  seamAttributes: "must be zero for a production module",
  tdAttributes: "TD attributes",
  xfam: "extended features that the TD may use",
  mrTd: "digest of what the TD started with",
  mrConfigId: "configuration, from the host at start",
  mrOwner: "owner, from the host at start",
  mrOwnerConfig: "owner's configuration, from the host at start",
  rtmr0: "runtime register: firmware and its configuration",
  rtmr1: "runtime register: boot loader, kernel",
  rtmr2: "runtime register: kernel command line, system",
  rtmr3: "runtime register: application",
  reportData: "what the TD asked to have signed",
};

/** Each later report has the fields of the one before it, and more. */
const TD_REPORT_1_5 = {
  ...TD_REPORT_1_0,
  teeTcbSvn2: "security versions of the TDX module that runs now",
  mrServiceTd: "digest over the service TDs that are bound",
};

export const TDX_NOTES = {
  "TD attributes": {
    debug: "the host may read and write the TD's memory",
    septVeDisable: "no #VE on access to pending pages",
    migratable: "the TD may be migrated",
    pks: "supervisor protection keys may be used",
    keyLocker: "Key Locker may be used",
    perfmon: "performance monitoring may be used",
  },
  "TD report 1.0": TD_REPORT_1_0,
  "TD report 1.5": TD_REPORT_1_5,
  "TD report 1.5 extended": {
    ...TD_REPORT_1_5,
    vmid: "partition that asked; 0 is the TD itself",
    tdId: "this TD's instance, kept across migration",
    devInfo: "digest of the device information",
    initServTdHash: "service TDs at start, or the migration policy",
    initServTdAttributes: "attributes of the service TDs at start",
    initCpuSvn: "CPUSVN when the TD was created",
    initTeeTcbSvn: "TEE_TCB_SVN when the TD was created",
    initTeeFmspc: "FMSPC of the platform on which the TD was created",
    curServTdHash: "service TDs now",
    curServTdAttributes: "attributes of the service TDs now",
  },
} as const;
