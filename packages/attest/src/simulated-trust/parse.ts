/** A simulated trust as text and back. The text comes from a file or a host, so it is read as hostile. */
import { decodeBase64 } from "@donjon/core/base64";
import { DonjonError } from "@donjon/core/errors";
import { type JsonObject, parseStrictJson } from "../intel/strict-json.ts";
import { AMD_PRODUCTS, type AmdAuthority } from "../trust/amd.ts";
import type { IntelRoot } from "../trust/intel.ts";
import {
  fingerprintRoots,
  SIMULATED,
  type SimulatedAmd,
  type SimulatedIntel,
  type SimulatedSignedJson,
  type SimulatedTrust,
} from "./trust.ts";

/** Largest text; one takes about 20,000. */
export const MAX_TRUST_CHARACTERS = 262_144;
const FORMAT = "donjon/simulated-trust/1";
const MAX_CERTIFICATES = 8;
const MAX_CRLS = 4;
const MAX_NAME_CHARACTERS = 128;

export function encodeTrust(trust: SimulatedTrust): string {
  return `${JSON.stringify({ format: FORMAT, ...trust })}\n`;
}

/**
 * Reads what `encodeTrust` wrote: members and lengths are checked, certificates are for `verifyEvidence`.
 * @throws DonjonError `bytes/limit`, `bytes/invalid`; also for a root that does not call itself simulated
 */
export function parseTrust(text: string): SimulatedTrust {
  if (text.length > MAX_TRUST_CHARACTERS) {
    const found = `${text.length} characters`;
    throw unreadable("bytes/limit", `found ${found}, wanted at most ${MAX_TRUST_CHARACTERS}`);
  }
  try {
    return readTrust(parseStrictJson(text));
  } catch (cause) {
    if (!(cause instanceof DonjonError)) throw cause;
    throw unreadable(cause.code, cause.message, cause);
  }
}

function readTrust(json: JsonObject): SimulatedTrust {
  json.refuseOthers("format", "fingerprint", "validFrom", "validUntil", "amd", "intel");
  if (json.string("format") !== FORMAT) throw invalid(json.string("format"), FORMAT);
  const amd = readAmd(json.object("amd"));
  const intel = readIntel(json.object("intel"));
  const fingerprint = json.string("fingerprint");
  const wanted = fingerprintRoots(amd.ark.spki, intel.root.spki);
  if (fingerprint !== wanted) throw invalid(`the fingerprint ${fingerprint}`, wanted);
  return {
    fingerprint,
    validFrom: time(json, "validFrom"),
    validUntil: time(json, "validUntil"),
    amd,
    intel,
  };
}

function readAmd(json: JsonObject): SimulatedAmd {
  json.refuseOthers("product", "ark", "ask", "certificates", "crls");
  const name = json.string("product");
  const product = AMD_PRODUCTS.find((one) => one.name === name)?.name;
  if (product === undefined) throw invalid(`the product '${clip(name)}'`, "one with known CPUID");
  return {
    product,
    ark: readAuthority(json.object("ark")),
    ask: readAuthority(json.object("ask")),
    certificates: base64List(json, "certificates", MAX_CERTIFICATES),
    crls: base64List(json, "crls", MAX_CRLS),
  };
}

function readAuthority(json: JsonObject): AmdAuthority {
  json.refuseOthers("commonName", "serialNumber", "notBefore", "notAfter", "spki");
  const serialNumber = json.string("serialNumber");
  if (!/^([0-9a-f]{2}){1,20}$/.test(serialNumber))
    throw invalid(`the serial number '${clip(serialNumber)}'`, "lower-case hexadecimal");
  return {
    commonName: simulatedName(json),
    serialNumber,
    notBefore: time(json, "notBefore"),
    notAfter: time(json, "notAfter"),
    spki: base64(json, "spki"),
  };
}

function readIntel(json: JsonObject): SimulatedIntel {
  json.refuseOthers(
    "root",
    "pckChain",
    "signingChain",
    "rootCrl",
    "pckCrl",
    "tcbInfo",
    "qeIdentity",
  );
  return {
    root: readRoot(json.object("root")),
    pckChain: base64List(json, "pckChain", MAX_CERTIFICATES),
    signingChain: base64List(json, "signingChain", MAX_CERTIFICATES),
    rootCrl: base64(json, "rootCrl"),
    pckCrl: base64(json, "pckCrl"),
    tcbInfo: readSignedJson(json.object("tcbInfo")),
    qeIdentity: readSignedJson(json.object("qeIdentity")),
  };
}

function readRoot(json: JsonObject): IntelRoot {
  json.refuseOthers("commonName", "spki");
  return { commonName: simulatedName(json), spki: base64(json, "spki") };
}

function readSignedJson(json: JsonObject): SimulatedSignedJson {
  json.refuseOthers("text", "signature");
  return { text: json.string("text"), signature: base64(json, "signature") };
}

/** A root that could be taken for a vendor's is refused: an anchor's name is what people see. */
function simulatedName(json: JsonObject): string {
  const name = json.string("commonName");
  if (!name.startsWith(`${SIMULATED} `) || name.length > MAX_NAME_CHARACTERS)
    throw invalid(`the authority '${clip(name)}'`, `a name that begins with ${SIMULATED}`);
  return name;
}

function base64(json: JsonObject, name: string): string {
  return checkedBase64(json.string(name));
}

function base64List(json: JsonObject, name: string, most: number): readonly string[] {
  const list = json.strings(name);
  if (list.length === 0 || list.length > most)
    throw invalid(`${list.length} in '${name}'`, `1 to ${most}`);
  return list.map(checkedBase64);
}

function checkedBase64(text: string): string {
  decodeBase64(text);
  return text;
}

function time(json: JsonObject, name: string): string {
  json.timeMs(name);
  return json.string(name);
}

function clip(text: string): string {
  return text.slice(0, 64);
}

function invalid(found: string, wanted: string): DonjonError {
  return new DonjonError("bytes/invalid", `found ${clip(found)}, wanted ${wanted}`);
}

function unreadable(code: DonjonError["code"], why: string, cause?: unknown): DonjonError {
  const message = `Cannot read the trust of a simulated security processor: ${why}; have the machine write it again`;
  return new DonjonError(code, message, { cause });
}
