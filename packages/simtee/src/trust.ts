/** What a client needs to accept this machine's simulated evidence; the code is the verifier's, which clients have. */
export {
  encodeTrust,
  endorse,
  parseTrust,
  rootsOf,
  type SimulatedKind,
  type SimulatedTrust,
} from "@donjon/attest/simulated-trust";
