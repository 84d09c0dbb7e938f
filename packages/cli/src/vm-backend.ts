/** The backend `vm`, in a file of its own (tools/build.ts): a process Keep starts without its code. */
export { openVmBackend } from "@donjon/host/backend/vm";
