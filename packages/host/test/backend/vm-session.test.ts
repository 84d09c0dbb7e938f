import { testSessionContract } from "@donjon/testkit/contract/session-contract";
import { VM_ENDING, withVmBackend } from "./vm-backend.ts";

await withVmBackend("session with a vm Keep", (backend) =>
  testSessionContract(backend, { streamBytes: 64 << 20, ending: VM_ENDING, concurrency: 2 }),
);
