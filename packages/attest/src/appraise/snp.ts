/** Policy over SEV-SNP claims. Knobs first, then what each one asks, in the order of the report. */

import type { SnpClaims } from "../snp/claims.ts";
import { GUEST_POLICY, PLATFORM_INFO } from "../snp/layouts.ts";
import {
  count,
  countList,
  flag,
  floors,
  hexList,
  hexListOrAny,
  mask,
  type SectionOf,
  textList,
} from "./knob.ts";
import {
  allOn,
  atLeast,
  atLeastEach,
  bitsSet,
  forbiddenUnless,
  oneOf,
  oneOfRequired,
  type Rule,
} from "./rule.ts";

const TCB = ["fmc", "bootloader", "tee", "snp", "microcode"] as const;
const VERSION = ["major", "minor", "build"] as const;
const policyBits = GUEST_POLICY.fields.filter(({ width }) => width === 1).map(({ name }) => name);
const platformBits = PLATFORM_INFO.fields.map(({ name }) => name);

export const SNP_KNOBS = {
  measurement: hexListOrAny(48),
  reportData: hexListOrAny(64),
  hostData: hexList(32),
  familyId: hexList(16),
  imageId: hexList(16),
  idKeyDigest: hexList(48),
  authorKeyDigest: hexList(48),
  chipId: hexList(64),
  cspId: textList(),
  product: textList(["Milan", "Genoa", "Turin"]),
  signer: textList(["vcek", "vlek"]),
  vmpl: countList(),
  allowDebug: flag(),
  allowMigration: flag(),
  allowSmt: flag(),
  allowProvisional: flag(),
  allowUnknownFeatures: flag(),
  requirePolicy: textList(policyBits),
  requirePlatform: textList(platformBits),
  minimumGuestSvn: count(),
  minimumAbi: floors(["major", "minor"]),
  minimumVersion: floors(VERSION),
  minimumCommittedVersion: floors(VERSION),
  minimumReportedTcb: floors(TCB),
  minimumCurrentTcb: floors(TCB),
  minimumCommittedTcb: floors(TCB),
  minimumLaunchTcb: floors(TCB),
  requireMitigations: mask(),
} as const;

export type SnpPolicy = SectionOf<typeof SNP_KNOBS>;

type SnpRule = Rule<SnpClaims, SnpPolicy>;

const IDENTITY_RULES: readonly SnpRule[] = [
  { code: "policy/measurement", judge: (c, p) => oneOfRequired(p.measurement, c.measurement) },
  { code: "policy/report-data", judge: (c, p) => oneOfRequired(p.reportData, c.reportData) },
  { code: "policy/host-data", judge: (c, p) => oneOf(p.hostData, c.hostData) },
  { code: "policy/identity", judge: (c, p) => oneOf(p.familyId, c.familyId) },
  { code: "policy/identity", judge: (c, p) => oneOf(p.imageId, c.imageId) },
  { code: "policy/signer", judge: (c, p) => oneOf(p.idKeyDigest, c.idKeyDigest) },
  // Without AUTHOR_KEY_EN the digest says nothing (56860, KEY_INFO).
  {
    code: "policy/signer",
    judge: (c, p) => oneOf(p.authorKeyDigest, c.authorKeyEn ? c.authorKeyDigest : null),
  },
  { code: "policy/svn", judge: (c, p) => atLeast(p.minimumGuestSvn, c.guestSvn) },
];

const GUEST_RULES: readonly SnpRule[] = [
  { code: "policy/debug", judge: (c, p) => forbiddenUnless(p.allowDebug, c.policy.debug) },
  {
    code: "policy/migration",
    judge: (c, p) => forbiddenUnless(p.allowMigration, c.policy.migrateMa),
  },
  { code: "policy/vmpl", judge: (c, p) => oneOf(p.vmpl ?? [0], c.vmpl) },
  { code: "policy/features", judge: (c, p) => allOn(p.requirePolicy, c.policy) },
  {
    code: "policy/abi",
    judge: (c, p) =>
      atLeastVersion(p.minimumAbi, { major: c.policy.abiMajor, minor: c.policy.abiMinor }),
  },
];

const PLATFORM_RULES: readonly SnpRule[] = [
  {
    code: "policy/smt",
    judge: (c, p) =>
      p.allowSmt === false
        ? forbiddenUnless(false, c.policy.smt || c.platformInfo.smtEn)
        : undefined,
  },
  { code: "policy/features", judge: (c, p) => allOn(p.requirePlatform, c.platformInfo) },
  {
    code: "policy/features",
    judge: (c, p) =>
      p.allowUnknownFeatures === false
        ? {
            wanted: "no unknown platform feature",
            found: `bits 0x${c.unknownPlatformInfo}`,
            ok: c.unknownPlatformInfo === "0",
          }
        : undefined,
  },
  { code: "policy/platform", judge: (c, p) => oneOf(p.product, c.product) },
  { code: "policy/platform", judge: (c, p) => oneOf(p.signer, c.signer) },
  { code: "policy/platform", judge: (c, p) => oneOf(p.chipId, c.chipId) },
  { code: "policy/platform", judge: (c, p) => oneOf(p.cspId, c.cspId) },
];

const FIRMWARE_RULES: readonly SnpRule[] = [
  {
    code: "policy/tcb",
    judge: (c, p) => atLeastEach(p.minimumReportedTcb, { ...c.tcb.reported }, "reported TCB"),
  },
  {
    code: "policy/tcb",
    judge: (c, p) => atLeastEach(p.minimumCurrentTcb, { ...c.tcb.current }, "current TCB"),
  },
  {
    code: "policy/tcb",
    judge: (c, p) => atLeastEach(p.minimumCommittedTcb, { ...c.tcb.committed }, "committed TCB"),
  },
  {
    code: "policy/tcb",
    judge: (c, p) => atLeastEach(p.minimumLaunchTcb, { ...c.tcb.launch }, "TCB at launch"),
  },
  { code: "policy/provisional", judge: judgeProvisional },
  { code: "policy/firmware", judge: (c, p) => atLeastVersion(p.minimumVersion, c.currentVersion) },
  {
    code: "policy/firmware",
    judge: (c, p) => atLeastVersion(p.minimumCommittedVersion, c.committedVersion),
  },
  { code: "policy/mitigations", judge: (c, p) => bitsSet(p.requireMitigations, c.launchMitVector) },
  {
    code: "policy/mitigations",
    judge: (c, p) => bitsSet(p.requireMitigations, c.currentMitVector),
  },
];

export const SNP_RULES: readonly SnpRule[] = [
  ...IDENTITY_RULES,
  ...GUEST_RULES,
  ...PLATFORM_RULES,
  ...FIRMWARE_RULES,
];

type Version = { readonly major?: number; readonly minor?: number; readonly build?: number };

/** Versions compare as a whole, major first, unlike TCBs. */
function atLeastVersion(floor: Version | undefined, found: Version) {
  if (floor === undefined) return undefined;
  const difference =
    VERSION.map((part) => (found[part] ?? 0) - (floor[part] ?? 0)).find((part) => part !== 0) ?? 0;
  const show = (version: Version) => VERSION.map((part) => version[part] ?? 0).join(".");
  return { wanted: `${show(floor)} or later`, found: show(found), ok: difference >= 0 };
}

function judgeProvisional({ tcb, currentVersion, committedVersion }: SnpClaims, policy: SnpPolicy) {
  const show = (version: Version, parts: SnpClaims["tcb"]["current"]) =>
    `${VERSION.map((part) => version[part]).join(".")} (${TCB.filter((name) => parts[name] !== null)
      .map((name) => parts[name])
      .join("/")})`;
  const current = show(currentVersion, tcb.current);
  const committed = show(committedVersion, tcb.committed);
  const ok = policy.allowProvisional === true || current === committed;
  return {
    wanted:
      policy.allowProvisional === true
        ? "any firmware"
        : `running firmware equal to committed ${committed}`,
    found: current,
    ok,
  };
}
