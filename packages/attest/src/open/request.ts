/** A certification request with evidence and stapled collateral, as evidence and endorsements. */
import { parseEvidenceRequest, verifyRequestBinding } from "../envelope/evidence-request.ts";
import { parsePcsAnswers } from "../intel/collateral.ts";
import type { EvidenceSet } from "../verify.ts";
import { selectIntelCrls } from "./collateral.ts";
import type { OpenedEvidence } from "./opened.ts";

/** @throws AttestError `evidence/malformed`, reason `envelope/malformed` */
export function openRequest(bytes: Uint8Array): OpenedEvidence {
  const request = parseEvidenceRequest(bytes);
  const { stapled } = request;
  const set: EvidenceSet =
    stapled.kind === "snp"
      ? { kind: "snp", evidence: stapled.report, certificates: [stapled.vcek], crls: stapled.crls }
      : {
          kind: "sgx",
          evidence: stapled.quote,
          collateral: {
            ...selectIntelCrls(stapled.crls, stapled.quote),
            tcbInfo: parsePcsAnswers({ tcbInfo: new TextDecoder().decode(stapled.tcbInfo) })
              .tcbInfo,
            tcbInfoIssuerChain: stapled.tcbInfoIssuerChain,
          },
        };
  return {
    set,
    carrier: "request",
    verifyBinding: (reportData) => verifyRequestBinding(request, reportData),
  };
}
