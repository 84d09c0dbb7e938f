/** SGX quotes as Gramine gives them (Gramine's documentation, "Attestation and Secret Provisioning"). Not yet run on hardware. */
import type { Attester } from "./attester.ts";
import { noEvidence, readBlob, readLine, writeBlob } from "./files.ts";

const NOTHING = new Uint8Array(0);

/** `null` where Gramine is not, or has no quotes (`attestation_type` other than `dcap`). */
export function openGramine(directory: string): Attester | null {
  if (readLine(`${directory}/attestation_type`) !== "dcap") return null;
  return {
    hardware: true,
    async attest(reportData) {
      try {
        await writeBlob(`${directory}/user_report_data`, reportData);
        const evidence = await readBlob(`${directory}/quote`);
        return { tee: "sgx", evidence, auxiliary: NOTHING };
      } catch (cause) {
        throw noEvidence("Gramine made no quote; is its quoting service running?", cause);
      }
    },
  };
}
