/** Attested sessions with VM Keeps, and what outlives them. */
import { after } from "node:test";
import { testAttestedContract } from "@donjon/testkit/contract/attested-contract";
import { createSimulatedCarrier } from "@donjon/testkit/contract/carrier";
import { testDetachedContract } from "@donjon/testkit/contract/detached-contract";
import { withVmBackend } from "./vm-backend.ts";

const carrier = await createSimulatedCarrier();
after(() => carrier[Symbol.dispose]());

await withVmBackend("attested session with a vm Keep", (backend) => {
  testAttestedContract(backend, carrier, 2);
  testDetachedContract(backend, carrier, 2);
});
