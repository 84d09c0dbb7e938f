/**
 * Programs of the official suite that are expected to fail, each with its reason. The goal is none.
 * The run fails when a program named here passes.
 */
export const EXPECTED_FAILURES: Readonly<Record<string, string>> = {};
