/** What one command accepts as evidence, from the flags alone: no variable and no file can make it accept less. */
import { type Appraisal, type Policy, parsePolicyToml } from "@donjon/attest/appraise";
import { createSource } from "@donjon/attest/collateral";
import { parseTrust, rootsOf } from "@donjon/attest/simulated-trust";
import type { CallerRoots } from "@donjon/attest/verify";
import type { Verifier } from "@donjon/client/attested/statement";
import {
  createSimulatedVerifier,
  createVerifier,
  fetchEndorsements,
} from "@donjon/client/attested/verifier";
import { DonjonError } from "@donjon/core/errors";
import { readPolicyFile } from "../evidence/gather.ts";
import type { EvidenceFlags } from "../keeps/options.ts";
import { findReferences, PROTECTING_KINDS } from "../policy/reference.ts";
import { encodePolicyTemplate } from "../policy/template.ts";
import { openCollateralStore } from "./collateral-store.ts";

export interface Trust {
  readonly verify: Verifier;
  /** Without report data, which every session pins for itself. */
  readonly policy: Policy;
  /** Whether evidence of a simulated security processor is accepted. */
  readonly insecure: boolean;
  /** Roots in place of the vendors'; only of a simulated security processor. */
  readonly roots: CallerRoots | undefined;
  /** The text that the roots came in. */
  readonly simulatedTrust: string | undefined;
  /** What a person has to know about the policy. */
  readonly notes: readonly string[];
  /** The last appraisal of genuine evidence, accepted or not; `null` when there was none. */
  readonly lastAppraisal: () => Appraisal | null;
}

/** A Keep as somebody who is not trusted describes it. */
export interface ClaimedKeep {
  readonly protects: boolean;
  /** `null`: it may be of any kind. */
  readonly backend: string | null;
}

/** For Keeps that nothing protects: which image it is proves nothing, so it is shown and not asked. */
const ANY_SIMULATED: Policy = {
  reportData: "any",
  snp: { measurement: "any" },
  sgx: { mrEnclave: "any" },
};

/**
 * A Keep that claims protection is judged by the vendors' roots, whatever the flags say; one that claims none is
 * refused unless `--insecure` was given.
 *
 * @param readSimulatedTrust where the roots of the machine's simulated security processor come from
 * @throws DonjonError `backend/unprotected`, `policy/*`, `files/read`, and `bytes/*` for roots that cannot be read
 */
export async function createTrust(
  flags: EvidenceFlags,
  keep: ClaimedKeep,
  readSimulatedTrust: () => Promise<string>,
): Promise<Trust> {
  if (!keep.protects) requireInsecure(flags, keep);
  const { policy, notes } = choosePolicy(flags, keep);
  let last: Appraisal | null = null;
  const onAppraisal = (appraisal: Appraisal) => {
    last = appraisal;
  };
  const common = { policy, onAppraisal };
  const told = { policy, notes, lastAppraisal: () => last };
  if (keep.protects) {
    const endorse = fetchEndorsements(createSource({ fetch, store: openCollateralStore() }));
    const verify = createVerifier({ ...common, endorse });
    const none = { roots: undefined, simulatedTrust: undefined };
    return { verify, insecure: false, ...told, ...none };
  }
  const simulatedTrust = await readSimulatedTrust();
  const trust = parseTrust(simulatedTrust);
  const verify = createSimulatedVerifier(trust, common);
  return { verify, insecure: true, roots: rootsOf(trust), simulatedTrust, ...told };
}

export function requireInsecure({ insecure }: EvidenceFlags, { backend }: ClaimedKeep): void {
  if (insecure) return;
  throw new DonjonError(
    "backend/unprotected",
    `the Keep, of the kind '${backend}', has no hardware protection, so nothing was sent: the host could read and change the program and its data`,
  );
}

function choosePolicy(
  { policy: file }: EvidenceFlags,
  { protects, backend }: ClaimedKeep,
): { policy: Policy; notes: string[] } {
  if (file !== undefined) return { policy: readPolicyFile(file), notes: [] };
  if (!protects) {
    return { policy: ANY_SIMULATED, notes: ["no --policy: any measurement is accepted"] };
  }
  const tees = PROTECTING_KINDS.filter((tee) => backend === null || backend === tee);
  const { tables, missing } = findReferences(tees);
  if (tables.length === 0) throw nothingToExpect(backend, missing);
  const policy = parsePolicyToml(encodePolicyTemplate({ tables, simulated: false }, new Date()));
  return {
    policy,
    notes: ["no --policy: the measurement of the image that is built here is asked"],
  };
}

/** A service names no kind, so what each kind lacks here would say little of it. */
function nothingToExpect(backend: string | null, missing: readonly string[]): DonjonError {
  return new DonjonError(
    "usage",
    backend === null
      ? "there is no policy, and no measurement of hardware's Keeps is known here, so nothing was asked. If the evidence is simulated, give --insecure-root FILE; for hardware write a policy (donjon policy init) and give it with --policy"
      : `there is no policy, and no measurement to expect of a Keep of the kind ${backend} is known here (${missing.join("; ")}), so nothing was sent; build the image (donjon image build), or write a policy and give it: donjon policy init, then --policy policy.toml`,
  );
}
