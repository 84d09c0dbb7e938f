/**
 * What a client must know to accept evidence of one machine's simulated security processor:
 * `@donjon/attest/simulated-trust`. It proves nothing about hardware, so it is never a default: only who asks for an
 * unprotected Keep hands it in. Not part of the published verifier.
 */
export { endorse, rootsOf, type SimulatedKind } from "./simulated-trust/endorse.ts";
export { encodeTrust, MAX_TRUST_CHARACTERS, parseTrust } from "./simulated-trust/parse.ts";
export {
  fingerprintRoots,
  SIMULATED,
  type SimulatedAmd,
  type SimulatedIntel,
  type SimulatedSignedJson,
  type SimulatedTrust,
} from "./simulated-trust/trust.ts";
