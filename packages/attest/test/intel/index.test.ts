/** Every file of the vectors that is about Intel or Nitro: which test gives its outcome, or why none does. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readIndex, skipVectors, warnSkipped } from "../vectors.ts";

const TESTS = [
  "intel/quotes.test.ts",
  "intel/collateral.test.ts",
  "intel/collateral.ts",
  "nitro/vectors.test.ts",
  "envelope/quote-carriers.test.ts",
];

/** Whole sources whose every file some test takes from the index. */
const BY_INDEX = [
  /^openenclave\/.*\.json$/,
  /^teekit\/tcbinfo\//,
  /^rust-sgx\/pcs\/(tcb-json|qe-identity|eval-num-select-best)\/.*(json|tcb|id)$/,
  /^rust-sgx\/pcs\/.*\.(tcb|id|pckcert)$/,
];

/** Files that the table of a test reaches by folder. */
const BY_FOLDER = [
  /^intel-dcap-qvl\/\.?\/?(tdx\/)?(quote\.dat|pckCert\.pem|pckSignChain\.pem|tcbSignChain\.pem|trustedRootCaCert\.pem|rootCaCrl\.der|intermediateCaCrl\.der|tcbInfo\.json|qeIdentity\.json)$/,
  /^lunal-attestation-rs\/tdx\/collateral\/(pck_crl_platform\.der|root_ca_crl\.der|tcb_info_\w+\.json|td_qe_identity\.json)$/,
  /^interoperable-ra-tls\//,
  /^rust-sgx\/nitro\//,
];

const REASONS: readonly (readonly [RegExp, string])[] = [
  [/intel-dcap-qvl\/.*Crl\.pem$/, "the same list as the DER file beside it, which is used"],
  [
    /intel-dcap-qvl\/.*qveIdentity\.json$/,
    "identity of the quote verification enclave; no quote here is checked by one",
  ],
  [/signing_chain\.pem$/, "the same signer as in the bundles of dcap-qvl, whose chain is used"],
  [
    /sgxtcbeval\.json$|\.numbers$/,
    "TCB evaluation data numbers: a list for choosing collateral, not part of verification",
  ],
  [
    /go-tdx-guest\/report\.dat$/,
    "a TDREPORT is bound to its machine by a MAC and cannot be verified elsewhere",
  ],
  [/go-tdx-guest\/ccel\/ccel_/, "event log: replay is another module's"],
  [
    /rust-sgx\/pcs\/(processor|platform)\.crl$/,
    "CRLs of times at which no quote here has the rest of its collateral",
  ],
  [/rust-sgx\/pcs\/IntelSGXRootCA/, "the same list as lunal's root_ca_crl.der, which is used"],
  [
    /rust-sgx\/pcs\/root_SGX_CA_der\.cert$/,
    "the root of every chain here; its key is pinned, so no test reads a file",
  ],
];

const OTHERS =
  /^(go-sev-guest|virtee-sev|trustee|tee-attestation-verification)\/|snp|sev-gcp|steward\/amd/;

test("every Intel and Nitro file of the index has a test or a reason", {
  skip: skipVectors,
}, () => {
  const sources = TESTS.map((file) =>
    readFileSync(join(import.meta.dirname, "..", file), "utf8"),
  ).join("\n");
  const paths = readIndex()
    .map(({ repo, file }) => `${repo}/${file}`)
    .filter((path) => !OTHERS.test(path));
  const named = (path: string) =>
    sources.includes(path) || sources.includes(path.slice(path.lastIndexOf("/") + 1));
  const tested = (path: string) =>
    [...BY_INDEX, ...BY_FOLDER].some((pattern) => pattern.test(path)) || named(path);
  const excused = paths.filter(
    (path) => !tested(path) && REASONS.some(([pattern]) => pattern.test(path)),
  );
  const forgotten = paths.filter((path) => !tested(path) && !excused.includes(path));
  assert.deepEqual(forgotten, []);
  console.log(
    `${paths.length} Intel and Nitro files: ${paths.length - excused.length} tested, ${excused.length} with a reason`,
  );
  assert.ok(paths.length > 150 && excused.length < 20);
});

warnSkipped(1);
