/** Why a policy refuses evidence; also the codes of an appraisal's checks. One word per idea over all TEEs. */
export const POLICY_REASONS = {
  "policy/kind": "the policy has no section for this kind of evidence",
  "policy/report-data": "the report data is not the one wanted, or the policy wants none by name",
  "policy/measurement": "the measurement is none of those listed, or the policy lists none",
  "policy/debug": "the host may read the guest's memory",
  "policy/migration": "the guest may be moved by a migration agent or service",
  "policy/smt": "simultaneous multithreading is allowed or on",
  "policy/vmpl": "the report was asked for at another privilege level",
  "policy/tcb": "a security version is below the floor",
  "policy/provisional": "the running firmware is not committed, so it can be rolled back",
  "policy/svn": "the guest's or enclave's security version is below the floor",
  "policy/abi": "the firmware ABI that the guest asks for is below the floor",
  "policy/firmware": "the firmware's version is below the floor",
  "policy/host-data": "the host's data is none of those listed",
  "policy/identity": "family, image, product or configuration ids are none of those listed",
  "policy/signer": "the key that signed the image or its author's is none of those listed",
  "policy/platform": "the chip, cloud or platform is none of those listed",
  "policy/features": "a required feature is off, or an unknown one is on",
  "policy/mitigations": "a required mitigation is not in place",
  "policy/tcb-status": "the vendor's status of the TCB is none of those accepted",
  "policy/advisories": "an advisory applies that is not accepted",
  "policy/evaluation": "the collateral's evaluation data number is below the floor",
  "policy/age": "the evidence or its collateral is older than allowed",
} as const;

export type PolicyReason = keyof typeof POLICY_REASONS;
