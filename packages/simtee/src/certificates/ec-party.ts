/** ECDSA authorities, leaves and revocation lists. Built on @peculiar/x509, not on the verifier's code. */
import "reflect-metadata";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { type CrlContents, createCrl, type SigningAlgorithm } from "./crl.ts";
import { type KeyPair, makeKeyPair } from "./key-pair.ts";
import { simulatedName } from "./simulated-name.ts";
import type { Validity } from "./validity.ts";

export type Curve = "P-256" | "P-384";

export interface EcParty {
  readonly name: string;
  readonly serialNumber: string;
  readonly curve: Curve;
  readonly keys: KeyPair;
  /** DER. */
  readonly certificate: Uint8Array;
}

export interface EcPartyOptions extends Validity {
  readonly name: string;
  readonly serialNumber: string;
  readonly curve: Curve;
  /** Without one the certificate is self-signed. */
  readonly issuer?: EcParty;
  /** Signs instead of the issuer's key. */
  readonly signer?: EcParty;
  readonly keys?: KeyPair;
  readonly ca?: boolean;
  readonly pathLength?: number;
  readonly keyUsage?: number;
  /** Dotted OID, value, and whether it is critical. */
  readonly extensions?: readonly (readonly [oid: string, value: Uint8Array, critical?: boolean])[];
}

export const AUTHORITY_USAGE = KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign;

export async function makeEcParty(options: EcPartyOptions): Promise<EcParty> {
  const { name, serialNumber, curve, issuer, signer, ca = false } = options;
  const keys = options.keys ?? (await makeKeyPair(curve));
  const certificate = await X509CertificateGenerator.create({
    serialNumber,
    subject: simulatedName(name),
    issuer: simulatedName(issuer?.name ?? name),
    notBefore: options.notBefore,
    notAfter: options.notAfter,
    signingAlgorithm: ecdsa((signer ?? issuer)?.curve ?? curve),
    signingKey: ((signer ?? issuer)?.keys ?? keys).privateKey,
    publicKey: keys.publicKey,
    extensions: [
      new BasicConstraintsExtension(ca, options.pathLength, true),
      new KeyUsagesExtension(
        options.keyUsage ?? (ca ? AUTHORITY_USAGE : KeyUsageFlags.digitalSignature),
        true,
      ),
      ...(options.extensions ?? []).map(
        ([oid, value, critical = false]) => new Extension(oid, critical, new Uint8Array(value)),
      ),
    ],
  });
  return { name, serialNumber, curve, keys, certificate: new Uint8Array(certificate.rawData) };
}

export interface EcCrlOptions extends CrlContents {
  readonly issuer: EcParty;
  /** Signs instead of the issuer's key. */
  readonly signer?: EcParty;
}

export async function makeEcCrl(options: EcCrlOptions): Promise<Uint8Array> {
  const { issuer, signer = issuer } = options;
  return createCrl(options, {
    issuer: issuer.name,
    key: signer.keys.privateKey,
    algorithm: ecdsa(signer.curve),
    // RFC 5280 section 5.2 asks for both, and Intel's lists have them.
    extensions: [
      await AuthorityKeyIdentifierExtension.create(issuer.keys.publicKey),
      new Extension("2.5.29.20", false, Uint8Array.of(0x02, 0x01, 0x01)),
    ],
  });
}

function ecdsa(curve: Curve): SigningAlgorithm {
  return { name: "ECDSA", hash: curve === "P-256" ? "SHA-256" : "SHA-384" };
}
