/** The target `evidence` of the pipe `out` (protocol README, gate): a Keep that nothing protects asks for simulated evidence. */
import type { Duplex } from "node:stream";
import type { EvidenceTee, PlatformEvidence } from "@donjon/protocol/attestation/evidence";
import { EVIDENCE_TARGET } from "@donjon/protocol/gate/gate";
import { MUX_REFUSAL } from "@donjon/protocol/gate/mux";
import type { GateCall } from "@donjon/protocol/gate/pipe";

/** Evidence over 64 octets of report data, by a simulated security processor. */
export type EvidenceSource = (reportData: Uint8Array) => Promise<PlatformEvidence>;

const REPORT_DATA_BYTES = 64;
/** Calls of one Keep that are answered at once: each is a signature, and a Keep may ask without end. */
const MAX_CALLS = 64;
const TEE_CODES: Readonly<Record<EvidenceTee, number>> = { snp: 1, tdx: 2, sgx: 3 };

export function isEvidenceCall(call: GateCall<Duplex>): boolean {
  return call.target === EVIDENCE_TARGET;
}

/** Answers the calls of one Keep. `source` `null`: it has none, because hardware protects it or nobody wanted any. */
export function createEvidenceDesk(
  source: EvidenceSource | null,
): (call: GateCall<Duplex>) => void {
  let open = 0;
  return (call) => {
    if (source === null) {
      call.refuse(MUX_REFUSAL.refused, "this host simulates no evidence for this Keep");
      return;
    }
    if (open >= MAX_CALLS) {
      call.refuse(MUX_REFUSAL.busy, `${MAX_CALLS} calls for evidence are being answered`);
      return;
    }
    open += 1;
    const stream = call.accept();
    stream.on("close", () => {
      open -= 1;
    });
    answer(stream, source);
  };
}

function answer(stream: Duplex, source: EvidenceSource): void {
  stream.on("error", () => {});
  const parts: Uint8Array[] = [];
  let size = 0;
  stream.on("data", (part: Uint8Array) => {
    parts.push(part);
    size += part.length;
    if (size > REPORT_DATA_BYTES) stream.destroy();
  });
  stream.on("end", () => {
    if (size !== REPORT_DATA_BYTES) {
      stream.destroy();
      return;
    }
    source(Buffer.concat(parts)).then(
      (evidence) => stream.end(encodeAnswer(evidence)),
      // The Keep sees the end of the stream and says that it got no evidence.
      () => stream.destroy(),
    );
  });
}

function encodeAnswer({ tee, evidence, auxiliary }: PlatformEvidence): Uint8Array {
  const answer = Buffer.alloc(5 + evidence.length + auxiliary.length);
  answer.writeUInt8(TEE_CODES[tee], 0);
  answer.writeUInt32BE(evidence.length, 1);
  answer.set(evidence, 5);
  answer.set(auxiliary, 5 + evidence.length);
  return answer;
}
