/** What the evidence commands do. One file of its own when built: `donjon run` never loads it. */
export { runBundle } from "./bundle.ts";
export { runDiff } from "./diff.ts";
export { runExplain } from "./explain.ts";
export { runVerify } from "./verify.ts";
