/**
 * What Intel says about a platform in its PCK certificate.
 *
 * Source: Intel SGX PCK Certificate and Certificate Revocation List Profile Specification, section 1.3.5.
 */
import { DER_TAG, DerReader, openDer } from "@donjon/core/der";
import { DonjonError } from "@donjon/core/errors";
import type { Certificate } from "@donjon/core/x509";
import { INTEL_OID } from "../trust/intel.ts";

const MAX_EXTENSION_BYTES = 2048;
const COMPONENTS = 16;

export interface PckExtension {
  readonly ppid: Uint8Array;
  /** 16 security versions. */
  readonly tcbComponents: Uint8Array;
  readonly pceSvn: number;
  readonly cpuSvn: Uint8Array;
  readonly pceId: Uint8Array;
  /** Family, model, stepping, platform and custom SKU. */
  readonly fmspc: Uint8Array;
  /** 0 standard, 1 scalable, 2 scalable with integrity. */
  readonly sgxType: number;
  /** The three below only for platforms of several packages. */
  readonly platformInstanceId: Uint8Array | undefined;
  readonly dynamicPlatform: boolean | undefined;
  readonly cachedKeys: boolean | undefined;
  readonly smtEnabled: boolean | undefined;
}

/** Reads the SGX extension of a PCK certificate. Throws DonjonError `bytes/*`. */
export function parsePckExtension(certificate: Certificate): PckExtension {
  const extension = certificate.extensions.get(INTEL_OID.sgxExtensions);
  if (extension === undefined) throw invalid("SGX extensions", "missing");
  const members = readMembers(
    openDer(extension.value, DER_TAG.sequence, "SGX extensions", MAX_EXTENSION_BYTES),
    "SGX extensions",
  );
  const tcb = readMembers(need(members, INTEL_OID.tcb).enter(DER_TAG.sequence, "TCB"), "TCB");
  const configuration = members
    .get(INTEL_OID.configuration)
    ?.enter(DER_TAG.sequence, "configuration");
  const flags = configuration && readMembers(configuration, "configuration");
  const tcbComponents = Uint8Array.from({ length: COMPONENTS }, (_, index) =>
    readSvn(need(tcb, `${INTEL_OID.tcb}.${index + 1}`), 0xff),
  );
  const platform = members.get(INTEL_OID.platformInstanceId);
  return {
    ppid: readOctets(need(members, INTEL_OID.ppid), 16),
    tcbComponents,
    pceSvn: readSvn(need(tcb, INTEL_OID.pceSvn), 0xffff),
    cpuSvn: readOctets(need(tcb, INTEL_OID.cpuSvn), 16),
    pceId: readOctets(need(members, INTEL_OID.pceId), 2),
    fmspc: readOctets(need(members, INTEL_OID.fmspc), 6),
    sgxType: need(members, INTEL_OID.sgxType).readNumber("SGX type", DER_TAG.enumerated),
    platformInstanceId: platform && readOctets(platform, 16),
    dynamicPlatform: flags?.get(INTEL_OID.dynamicPlatform)?.readBoolean("dynamic platform"),
    cachedKeys: flags?.get(INTEL_OID.cachedKeys)?.readBoolean("cached keys"),
    smtEnabled: flags?.get(INTEL_OID.smtEnabled)?.readBoolean("SMT enabled"),
  };
}

/** `SEQUENCE OF SEQUENCE { OID, value }`: a reader at each value. A repeated OID is refused. */
function readMembers(list: DerReader, what: string): Map<string, DerReader> {
  const members = new Map<string, DerReader>();
  while (!list.done) {
    const member = list.enter(DER_TAG.sequence, what);
    const oid = member.readOid(what);
    const value = member.readAny(what);
    member.end(what);
    if (members.has(oid)) throw invalid(oid, "there twice");
    members.set(oid, new DerReader(value.encoding));
  }
  return members;
}

function need(members: ReadonlyMap<string, DerReader>, oid: string): DerReader {
  const reader = members.get(oid);
  if (reader === undefined) throw invalid(oid, "missing");
  return reader;
}

function readSvn(reader: DerReader, max: number): number {
  const value = reader.readNumber("SVN");
  if (value > max) throw invalid("SVN", `${value}, wanted at most ${max}`);
  return value;
}

function readOctets(reader: DerReader, length: number): Uint8Array {
  const value = reader.readOctetString("SGX extension");
  if (value.length !== length)
    throw invalid("an octet string", `${value.length} octets, wanted ${length}`);
  return value;
}

function invalid(what: string, found: string): DonjonError {
  return new DonjonError(
    "bytes/invalid",
    `Cannot read the SGX extensions of the PCK certificate: ${what} is ${found}`,
  );
}
