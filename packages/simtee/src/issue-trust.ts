/**
 * Issues everything public of a machine: certificates, revocation lists, TCB info. Apart from the rest because the
 * library that writes certificates takes long to load, and most openings need none.
 */

import {
  fingerprintRoots,
  SIMULATED,
  type SimulatedAmd,
  type SimulatedIntel,
  type SimulatedTrust,
} from "@donjon/attest/simulated-trust";
import { encodeBase64 } from "@donjon/core/base64";
import { authorityFacts, makeCrl, makeLeaf } from "./amd/authority.ts";
import { encodeLeafExtensions, hwidBytes } from "./amd/leaf.ts";
import { makeAmdVendor } from "./amd/vendor.ts";
import { makeEcCrl } from "./certificates/ec-party.ts";
import type { KeyPair } from "./certificates/key-pair.ts";
import { rfc3339, type Validity } from "./certificates/validity.ts";
import { encodeQeIdentity, encodeTcbInfo, signText } from "./intel/collateral.ts";
import { makeIntelVendor, makePck, rootFacts } from "./intel/vendor.ts";
import type { KeyName } from "./machine.ts";
import { OLD_TCB, type SgxTcb, type SimulatedTcb, type SnpTcb } from "./simulated-tcb.ts";

const DAY_MS = 86_400_000;
/** As long as a VCEK's certificate. */
const CERTIFICATE_DAYS = 7 * 365;
/** As long as Intel's lists and TCB info. */
const LIST_DAYS = 30;
/** Clocks of client and host differ. */
const BACKDATED_DAYS = 1;
const PRODUCT = "Genoa";
const OUT_OF_DATE = { status: "OutOfDate", advisories: ["SIMULATED-SA-00001"] } as const;

interface Issue extends MachineSecrets {
  readonly certificates: Validity;
  readonly lists: Validity;
}

export interface MachineSecrets {
  readonly keys: Readonly<Record<KeyName, KeyPair>>;
  readonly chipId: Uint8Array;
}

/** @param now lists hold from a day before to `LIST_DAYS` after it */
export async function issueTrust(
  secrets: MachineSecrets,
  now: Date,
  tcb: SimulatedTcb,
): Promise<SimulatedTrust> {
  const issue: Issue = {
    ...secrets,
    certificates: validity(now, CERTIFICATE_DAYS),
    lists: validity(now, LIST_DAYS),
  };
  const [amd, intel] = await Promise.all([issueAmd(issue, tcb.snp), issueIntel(issue, tcb.sgx)]);
  return {
    fingerprint: fingerprintRoots(amd.ark.spki, intel.root.spki),
    validFrom: rfc3339(issue.lists.notBefore),
    validUntil: rfc3339(issue.lists.notAfter),
    amd,
    intel,
  };
}

async function issueAmd(issue: Issue, tcb: SnpTcb): Promise<SimulatedAmd> {
  const { keys, chipId, certificates: validity, lists } = issue;
  const { ark, ask } = await makeAmdVendor({
    product: PRODUCT,
    prefix: `${SIMULATED} `,
    validity,
    keys,
  });
  const hwid = chipId.subarray(0, hwidBytes(PRODUCT));
  const vcek = await makeLeaf({
    commonName: "SEV-VCEK",
    issuer: ask,
    keys: keys.vcek,
    ...validity,
    extensions: encodeLeafExtensions({ product: PRODUCT, tcb, hwid }),
  });
  const crl = await makeCrl({
    issuer: ark,
    thisUpdate: lists.notBefore,
    nextUpdate: lists.notAfter,
  });
  return {
    product: PRODUCT,
    ark: authorityFacts(ark),
    ask: authorityFacts(ask),
    certificates: [vcek, ask, ark].map(({ certificate }) => encodeBase64(certificate)),
    crls: [encodeBase64(crl)],
  };
}

async function issueIntel(issue: Issue, tcb: SgxTcb): Promise<SimulatedIntel> {
  const { keys, chipId, certificates: validity, lists } = issue;
  const vendor = await makeIntelVendor(validity, { ...keys, root: keys.intelRoot });
  const { root, platformCa, tcbSigner } = vendor;
  const pck = await makePck(vendor, {
    keys: keys.pck,
    ...validity,
    // One chip in both guises: the identifiers are parts of one.
    sgx: { ...tcb, ppid: chipId.subarray(0, 16), platformInstanceId: chipId.subarray(16, 32) },
  });
  const updates = { thisUpdate: lists.notBefore, nextUpdate: lists.notAfter };
  const dates = { issueDate: rfc3339(lists.notBefore), nextUpdate: rfc3339(lists.notAfter) };
  const levels = [{ status: "UpToDate" }, { ...OLD_TCB.sgx, ...OUT_OF_DATE }];
  const sign = async (text: string) => ({
    text,
    signature: encodeBase64(await signText(tcbSigner, text)),
  });
  const chain = (...parties: readonly { readonly certificate: Uint8Array }[]) =>
    parties.map(({ certificate }) => encodeBase64(certificate));
  return {
    root: await rootFacts(root),
    pckChain: chain(pck, platformCa, root),
    signingChain: chain(tcbSigner, root),
    rootCrl: encodeBase64(await makeEcCrl({ issuer: root, ...updates })),
    pckCrl: encodeBase64(await makeEcCrl({ issuer: platformCa, ...updates })),
    tcbInfo: await sign(encodeTcbInfo({ tee: "sgx", ...dates, levels })),
    qeIdentity: await sign(encodeQeIdentity({ tee: "sgx", ...dates })),
  };
}

function validity(now: Date, days: number): Validity {
  // X.509 times have whole seconds.
  const secondMs = Math.floor(now.getTime() / 1000) * 1000;
  return {
    notBefore: new Date(secondMs - BACKDATED_DAYS * DAY_MS),
    notAfter: new Date(secondMs + days * DAY_MS),
  };
}
