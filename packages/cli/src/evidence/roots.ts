/** Roots of simulated vendors, from files that only `--insecure-root` names. Whatever they prove is marked INSECURE. */
import { createHash } from "node:crypto";
import { openEndorsement } from "@donjon/attest/open";
import { parseTrust, rootsOf } from "@donjon/attest/simulated-trust";
import type { AmdAuthority, AmdProductName, AmdRoot } from "@donjon/attest/snp";
import type { CallerRoots } from "@donjon/attest/verify";
import { encodeBase64 } from "@donjon/core/base64";
import { DonjonError } from "@donjon/core/errors";
import { encodeHex } from "@donjon/core/hex";
import { type Certificate, parseCertificate } from "@donjon/core/x509";
import { readFile } from "./files.ts";

/** @throws DonjonError `usage` when no file has a root, `bytes/*`, `evidence/malformed` */
export function readRoots(paths: readonly string[]): CallerRoots {
  const files = paths.map(readFile);
  const simulated = files.filter(isJson).map((bytes) => rootsOf(parseTrust(decode(bytes))));
  const certificates = files
    .filter((bytes) => !isJson(bytes))
    .flatMap((bytes) => openEndorsement(bytes).certificates)
    .map((der) => parseCertificate(der));
  const amd = certificates.flatMap(readAmdRoot);
  const intel = certificates.filter(isNamed(/Intel SGX Root CA$/)).map((root) => ({
    commonName: nameOf(root),
    spki: encodeBase64(root.publicKey.encoding),
  }));
  const nitro = certificates.filter(isNamed(/aws\.nitro-enclaves$/)).map((root) => ({
    commonName: nameOf(root),
    certificateSha256: createHash("sha256").update(root.encoding).digest("hex"),
  }));
  if (simulated.length + amd.length + intel.length + nitro.length === 0) {
    const names = certificates.map(nameOf).join(", ") || "no certificate";
    const wanted =
      "ARK-Milan, ARK-Genoa, ARK-Turin, ... Intel SGX Root CA or ... aws.nitro-enclaves";
    throw new DonjonError("usage", `--insecure-root has ${names}; wanted a root named ${wanted}`);
  }
  // A vendor without a root of the caller's must not fall back to its own: simulated and real do not mix.
  return {
    amd: [...amd, ...simulated.flatMap((roots) => roots.amd ?? [])],
    intel: [...intel, ...simulated.flatMap((roots) => roots.intel ?? [])],
    nitro,
  };
}

/** The roots of a simulated security processor come as JSON; certificates never do. */
function isJson(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7b;
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function readAmdRoot(certificate: Certificate): AmdRoot[] {
  const product = /^ARK-(Milan|Genoa|Turin)$/.exec(nameOf(certificate))?.[1];
  if (product === undefined) return [];
  const ark: AmdAuthority = {
    commonName: nameOf(certificate),
    serialNumber: encodeHex(certificate.serialNumber),
    notBefore: new Date(certificate.notBeforeMs).toISOString(),
    notAfter: new Date(certificate.notAfterMs).toISOString(),
    spki: encodeBase64(certificate.publicKey.encoding),
  };
  return [{ origin: "caller", product: product as AmdProductName, ark }];
}

function isNamed(pattern: RegExp): (certificate: Certificate) => boolean {
  return (certificate) => pattern.test(nameOf(certificate));
}

function nameOf(certificate: Certificate): string {
  return certificate.subject.commonName ?? "";
}
