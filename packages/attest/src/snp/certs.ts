/**
 * What AMD says in the extensions of a VCEK or VLEK certificate.
 * Source: "VCEK Certificate and KDS Interface Specification", AMD 57230, tables of certificate extensions.
 */
import { DER_TAG, DerReader } from "@donjon/core/der";
import { DonjonError } from "@donjon/core/errors";
import { type Certificate, parseCertificate } from "@donjon/core/x509";
import { AMD_OID, type AmdProduct, productByCertificateName, type TcbForm } from "../trust/amd.ts";
import type { Tcb } from "./tcb.ts";

export type SignerKind = "vcek" | "vlek";

export interface SnpCertificate {
  readonly certificate: Certificate;
  readonly kind: SignerKind;
  readonly product: AmdProduct;
  readonly tcb: Tcb;
  /** VCEK only: the chip; 64 octets, 8 on Turin. */
  readonly hwid: Uint8Array | null;
  /** VLEK only: the cloud, for example `CN=cc-us-east-2.amazonaws.com`. */
  readonly cspId: string | null;
}

const COMMON_NAMES: Readonly<Record<string, SignerKind>> = {
  "SEV-VCEK": "vcek",
  "SEV-VLEK": "vlek",
};
const MAX_CSP_ID_CHARACTERS = 256;

/** The kind of signer a certificate is for, by its common name; undefined for an authority's certificate. */
export function signerKind(certificate: Certificate): SignerKind | undefined {
  return COMMON_NAMES[certificate.subject.commonName ?? ""];
}

/**
 * Reads the DER certificate of a VCEK or VLEK.
 * @throws DonjonError `bytes/*` when it is not well formed or its extensions contradict each other
 */
export function parseSnpCertificate(der: Uint8Array): SnpCertificate {
  return readSnpCertificate(parseCertificate(der));
}

/** @throws DonjonError `bytes/*` as `parseSnpCertificate` */
export function readSnpCertificate(certificate: Certificate): SnpCertificate {
  const kind = signerKind(certificate);
  if (kind === undefined)
    throw invalid(`subject '${certificate.subject.commonName}'`, "SEV-VCEK or SEV-VLEK");
  if (certificate.publicKey.kind !== "p384")
    throw invalid(`a ${certificate.publicKey.kind} key`, "a P-384 key");
  const form = readNumber(certificate, "structVersion");
  const name = readText(certificate, "productName");
  const product = productByCertificateName(name);
  if (product === undefined) throw invalid(`product '${name}'`, "Milan, Genoa or Turin");
  if (form !== product.tcbForm)
    throw invalid(`structVersion ${form} for ${name}`, String(product.tcbForm));
  requireOneName(certificate, kind);
  return {
    certificate,
    kind,
    product,
    tcb: readTcb(certificate, product.tcbForm),
    hwid: kind === "vcek" ? readHwid(certificate, product.hwidBytes) : null,
    cspId: kind === "vlek" ? readText(certificate, "cspId") : null,
  };
}

/** Exactly one thing names the signer (57230): for a VCEK the chip's HWID, for a VLEK the cloud's CSP id. */
function requireOneName(certificate: Certificate, kind: SignerKind): void {
  const hwid = certificate.extensions.has(AMD_OID.hwid);
  const cspId = certificate.extensions.has(AMD_OID.cspId);
  if (hwid === (kind === "vcek") && cspId === (kind === "vlek")) return;
  const found =
    [hwid && "HWID", cspId && "CSP id"].filter(Boolean).join(" and ") || "neither HWID nor CSP id";
  throw invalid(
    `${found} in a ${kind.toUpperCase()} certificate`,
    kind === "vcek" ? "HWID only" : "CSP id only",
  );
}

function readTcb(certificate: Certificate, form: TcbForm): Tcb {
  if (form === 0 && certificate.extensions.has(AMD_OID.fmc))
    throw invalid("an FMC version", "none before Turin");
  return {
    fmc: form === 1 ? readNumber(certificate, "fmc") : null,
    bootloader: readNumber(certificate, "bootloader"),
    tee: readNumber(certificate, "tee"),
    snp: readNumber(certificate, "snp"),
    microcode: readNumber(certificate, "microcode"),
  };
}

function extension(certificate: Certificate, name: keyof typeof AMD_OID): Uint8Array {
  const found = certificate.extensions.get(AMD_OID[name]);
  if (found === undefined) throw invalid(`no extension ${AMD_OID[name]}`, name);
  return found.value;
}

/** A security version is one octet in TCB_VERSION, so more than 255 can match nothing. */
function readNumber(certificate: Certificate, name: keyof typeof AMD_OID): number {
  const reader = new DerReader(extension(certificate, name));
  const value = reader.readNumber(name);
  reader.end(name);
  if (value < 0 || value > 255) throw invalid(`${name} ${value}`, "0 to 255");
  return value;
}

function readText(certificate: Certificate, name: keyof typeof AMD_OID): string {
  const reader = new DerReader(extension(certificate, name));
  const { contents } = reader.read(DER_TAG.ia5String, name);
  reader.end(name);
  if (
    contents.length > MAX_CSP_ID_CHARACTERS ||
    !contents.every((octet) => octet >= 0x20 && octet < 0x7f)
  ) {
    throw invalid(
      `${contents.length} octets in ${name}`,
      `printable ASCII, at most ${MAX_CSP_ID_CHARACTERS}`,
    );
  }
  return String.fromCharCode(...contents);
}

/** AMD writes the raw octets where X.509 wants DER; some copies wrap them in an OCTET STRING, as X.509 does. */
function readHwid(certificate: Certificate, length: number): Uint8Array {
  const value = extension(certificate, "hwid");
  if (value.length === length) return value;
  const reader = new DerReader(value);
  const hwid = reader.readOctetString("HWID");
  reader.end("HWID");
  if (hwid.length !== length) throw invalid(`a HWID of ${hwid.length} octets`, `${length}`);
  return hwid;
}

function invalid(found: string, wanted: string): DonjonError {
  return new DonjonError(
    "bytes/invalid",
    `Cannot read the VCEK or VLEK certificate: found ${found}, wanted ${wanted}`,
  );
}
