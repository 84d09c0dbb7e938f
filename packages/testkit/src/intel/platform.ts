/** The simulated platform's facts, under the names that tests use. */
import { CURRENT_TCB } from "@donjon/simtee/simulated-tcb";

export { TEE_TCB_SVN as FAKE_TEE_TCB_SVN } from "@donjon/simtee/intel/collateral";
export { QE_SVN as FAKE_QE_SVN } from "@donjon/simtee/intel/quoting-enclave-identity";
export { FMSPC as FAKE_FMSPC } from "@donjon/simtee/simulated-tcb";

export const { components: FAKE_COMPONENTS, pceSvn: FAKE_PCE_SVN } = CURRENT_TCB.sgx;
