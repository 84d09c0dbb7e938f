import { testGateContract } from "@donjon/testkit/contract/gate-contract";
import { VM_ENDING, withVmBackend } from "./vm-backend.ts";

await withVmBackend("gate of a vm Keep", (backend) =>
  testGateContract(backend, { connections: 200, ending: VM_ENDING, concurrency: 2 }),
);
