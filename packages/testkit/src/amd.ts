/** A made-up AMD for tests: `@donjon/testkit/amd`. */
export {
  type Authority,
  type FakeAmd,
  makeAuthority,
  makeCrl,
  makeFakeAmd,
  makeLeaf,
} from "./amd/authority.ts";
export { type BadEvidence, badEvidence } from "./amd/bad-evidence.ts";
export {
  type EvidenceOptions,
  FAKE_TCB,
  type FakeEvidence,
  type FakeTcb,
  fakeHwid,
  fakeTcbBytes,
  makeEvidence,
} from "./amd/evidence.ts";
export { makeReport, type ReportOptions } from "./amd/report.ts";
export { FAKE_NOW } from "./validity.ts";
