/** JSON in which other tools keep evidence: where each puts it. What is not in the table is not guessed. */
import { decodeBase64Url } from "@donjon/core/base64";
import { detectEvidence } from "../detect.ts";
import { envelopeError } from "../envelope/envelope-error.ts";
import { openHclReport } from "./hcl-report.ts";
import { type OpenedEvidence, unknownEvidence } from "./opened.ts";

type Path = readonly string[];

interface Wrapper {
  readonly evidence: Path;
  /** SNP: the certificate of the signing key. */
  readonly certificate?: Path;
  readonly form: "bare" | "azure-hcl";
}

const WRAPPERS: readonly Wrapper[] = [
  // attestation-rs: SNP, Azure SNP
  {
    evidence: ["evidence", "attestation_report"],
    certificate: ["evidence", "cert_chain", "vcek"],
    form: "bare",
  },
  {
    evidence: ["evidence", "hcl_report"],
    certificate: ["evidence", "vcek"],
    form: "azure-hcl",
  },
  // Intel Trust Authority's client
  { evidence: ["tdx", "quote"], form: "bare" },
  { evidence: ["sgx", "quote"], form: "bare" },
  { evidence: ["quote"], form: "bare" },
];

export function openJsonWrapper(json: Readonly<Record<string, unknown>>): OpenedEvidence {
  for (const { evidence: path, certificate, form } of WRAPPERS) {
    const text = textAt(json, path);
    if (text === undefined) continue;
    const opened = openBytes(readBase64(text, path), form);
    const leaf = certificate && textAt(json, certificate);
    const certificates = leaf === undefined ? [] : [readBase64(leaf, certificate!)];
    return { ...opened, set: { ...opened.set, certificates } };
  }
  throw unknownEvidence(
    `JSON with ${Object.keys(json).slice(0, 8).join(", ").slice(0, 120) || "no keys"}`,
  );
}

function openBytes(bytes: Uint8Array, form: Wrapper["form"]): OpenedEvidence {
  if (form === "azure-hcl") return openHclReport(bytes);
  const { kind, evidence } = detectEvidence(bytes);
  return { set: { kind, evidence }, carrier: "json" };
}

function textAt(json: unknown, path: Path): string | undefined {
  let value = json;
  for (const name of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name))
      return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return typeof value === "string" ? value : undefined;
}

/** Tools write either alphabet, with and without padding. */
function readBase64(text: string, path: Path): Uint8Array {
  try {
    const bare = text.replace(/=+$/, "");
    return decodeBase64Url(bare.replaceAll("+", "-").replaceAll("/", "_"));
  } catch (cause) {
    throw envelopeError(`'${path.join(".")}'`, "another text", "base64", cause);
  }
}
