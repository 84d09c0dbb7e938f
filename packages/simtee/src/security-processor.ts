/**
 * A security processor that protects nothing: it stands on the host's side, its keys are files, and it signs whatever
 * measurement it is told. It exists so that everything above it runs, with real formats and the real verifier, on
 * machines without the hardware.
 */
import { SIMULATED, type SimulatedTrust } from "@donjon/attest/simulated-trust";
import { parseSnpCertificate } from "@donjon/attest/snp/certs";
import { decodeBase64 } from "@donjon/core/base64";
import { DonjonError } from "@donjon/core/errors";
import { encodeCertificateTable } from "./amd/certificate-table.ts";
import { CPUID, encodeTcbVersion } from "./amd/leaf.ts";
import { encodeReport, signReport } from "./amd/report.ts";
import { importSigningKey } from "./certificates/key-pair.ts";
import { encodePckChain } from "./intel/pem.ts";
import {
  encodeEnclaveReport,
  encodeQeReport,
  encodeQuoteHeader,
  join,
  makeQuotingEnclave,
  type QuotingEnclave,
  signQuote,
} from "./intel/quote.ts";
import { KEY_KINDS, type KeyName, type Machine, openMachine, unusable } from "./machine.ts";
import { openPrivateDirectory } from "./private-files.ts";
import type { SimulatedTcb } from "./simulated-tcb.ts";
import { isFresh, loadTrust } from "./trust-store.ts";

export interface SimulatedEvidence {
  readonly kind: "snp" | "sgx";
  readonly evidence: Uint8Array;
  /** SNP: GHCB certificate table with VCEK, ASK, ARK and CRL; SGX: empty. */
  readonly auxiliary: Uint8Array;
}

/** What is measured. */
export interface SimulatedLaunch {
  readonly tee: "sgx" | "snp";
  /** MRENCLAVE (32 octets) or SNP launch digest (48 octets). */
  readonly measurement: Uint8Array;
}

export interface SecurityProcessor {
  /**
   * Everything that a client needs to accept this machine's evidence, all of it public. Lists and TCB info in it hold
   * for at least ten days from when the processor was opened or last used.
   */
  readonly trust: SimulatedTrust;
  /** `trust`, renewed first when its lists near their end: for processes that stay idle for weeks. */
  renewTrust(): Promise<SimulatedTrust>;
  /**
   * SNP: an attestation report, version 5, signed by the VCEK. SGX: an ECDSA quote, version 3, with its PCK chain.
   *
   * @param reportData 64 octets
   * @throws RangeError for other lengths; DonjonError `files/*` when the trust must be renewed and cannot be
   */
  createEvidence(launch: SimulatedLaunch, reportData: Uint8Array): Promise<SimulatedEvidence>;
}

/** For tests. */
export interface SecurityProcessorOptions {
  /** Default: the machine's clock. */
  readonly now?: () => Date;
  /** Runs this TCB instead of the current one, for the life of the object: nothing of it is written. */
  readonly tcb?: SimulatedTcb;
}

/**
 * The security processor of a directory, made there at first use: that takes about a second, later openings milliseconds.
 * Any number of processes may open it.
 *
 * @param directory made with mode 0700; holds `keys.json`, which is secret, and `trust.json`
 * @throws DonjonError `files/read`, `files/write`
 */
export async function openSecurityProcessor(
  directory: string,
  options: SecurityProcessorOptions = {},
): Promise<SecurityProcessor> {
  const { now = () => new Date(), tcb } = options;
  openPrivateDirectory(directory);
  const machine = await openMachine(directory);
  const load = async () => {
    if (tcb === undefined) return loadTrust(directory, machine, now());
    const { issueTrust } = await import("./issue-trust.ts");
    return issueTrust(machine, now(), tcb);
  };
  try {
    const key = (name: KeyName) => importSigningKey(KEY_KINDS[name], machine.keys[name]);
    const [vcek, pck] = await Promise.all([key("vcek"), key("pck")]);
    return new SimulatedProcessor({ machine, vcek, pck, now, load }, await load());
  } catch (cause) {
    if (cause instanceof DonjonError) throw cause;
    throw unusable(directory, cause as Error);
  }
}

const MEASUREMENT_BYTES = { snp: 48, sgx: 32 } as const;
const REPORT_DATA_BYTES = 64;
/** In place of a signer's key digest, readable in a dump. */
const MR_SIGNER = new Uint8Array(32);
MR_SIGNER.set(new TextEncoder().encode(SIMULATED));

interface Parts {
  readonly machine: Machine;
  readonly vcek: CryptoKey;
  readonly pck: CryptoKey;
  readonly now: () => Date;
  readonly load: () => Promise<SimulatedTrust>;
}

class SimulatedProcessor implements SecurityProcessor {
  readonly #parts: Parts;
  #trust: SimulatedTrust;
  #renewal: Promise<SimulatedTrust> | undefined;
  /** Made from the trust at first use, and again when it is renewed. */
  #snp: SnpSigner | undefined;
  #sgx: Promise<QuotingEnclave> | undefined;

  constructor(parts: Parts, trust: SimulatedTrust) {
    this.#parts = parts;
    this.#trust = trust;
  }

  get trust(): SimulatedTrust {
    return this.#trust;
  }

  async renewTrust(): Promise<SimulatedTrust> {
    if (isFresh(this.#trust, this.#parts.now())) return this.#trust;
    this.#renewal ??= this.#renew();
    return this.#renewal;
  }

  async createEvidence(
    { tee, measurement }: SimulatedLaunch,
    reportData: Uint8Array,
  ): Promise<SimulatedEvidence> {
    requireLength(`measurement for ${tee}`, measurement, MEASUREMENT_BYTES[tee]);
    requireLength("report data", reportData, REPORT_DATA_BYTES);
    await this.renewTrust();
    return tee === "snp"
      ? this.#createReport(measurement, reportData)
      : this.#createQuote(measurement, reportData);
  }

  async #renew(): Promise<SimulatedTrust> {
    try {
      this.#trust = await this.#parts.load();
      this.#snp = undefined;
      this.#sgx = undefined;
      return this.#trust;
    } finally {
      this.#renewal = undefined;
    }
  }

  async #createReport(measurement: Uint8Array, reportData: Uint8Array): Promise<SimulatedEvidence> {
    this.#snp ??= readSnpSigner(this.#trust);
    const { tcb, cpuid, table } = this.#snp;
    const report = encodeReport({
      version: 5,
      measurement,
      reportData,
      chipId: this.#parts.machine.chipId,
      cpuid,
      currentTcb: tcb,
      reportedTcb: tcb,
      committedTcb: tcb,
      launchTcb: tcb,
    });
    await signReport(report, this.#parts.vcek);
    return { kind: "snp", evidence: report, auxiliary: table.slice() };
  }

  async #createQuote(measurement: Uint8Array, reportData: Uint8Array): Promise<SimulatedEvidence> {
    this.#sgx ??= makeQuotingEnclave({
      pckKey: this.#parts.pck,
      certification: encodePckChain(this.#trust.intel.pckChain.map(decodeBase64)),
      encodeReport: (bound) => encodeQeReport("sgx", bound),
    });
    const body = encodeEnclaveReport({
      attributes: 0x05, // INIT, MODE64BIT
      mrEnclave: measurement,
      mrSigner: MR_SIGNER,
      isvProdId: 1,
      isvSvn: 1,
      reportData,
    });
    const evidence = await signQuote(await this.#sgx, 3, join(encodeQuoteHeader(3, "sgx"), body));
    return { kind: "sgx", evidence, auxiliary: new Uint8Array() };
  }
}

interface SnpSigner {
  readonly tcb: Uint8Array;
  readonly cpuid: readonly [family: number, model: number, stepping: number];
  readonly table: Uint8Array;
}

/** What reports must agree with: the TCB that the VCEK's certificate was issued for. */
function readSnpSigner({ amd }: SimulatedTrust): SnpSigner {
  const [vcek, ask, ark] = amd.certificates.map(decodeBase64);
  const [crl] = amd.crls.map(decodeBase64);
  const { tcb } = parseSnpCertificate(vcek!);
  return {
    tcb: encodeTcbVersion(amd.product, { ...tcb, fmc: tcb.fmc ?? 0 }),
    cpuid: CPUID[amd.product],
    table: encodeCertificateTable({ vcek: vcek!, ask: ask!, ark: ark!, crl: crl! }),
  };
}

function requireLength(what: string, bytes: Uint8Array, wanted: number): void {
  if (bytes.length !== wanted)
    throw new RangeError(`The ${what} has ${bytes.length} octets, wanted ${wanted}`);
}
