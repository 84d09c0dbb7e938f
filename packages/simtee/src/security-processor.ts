/**
 * A security processor that protects nothing: it stands on the host's side, its keys are files, and it signs whatever
 * measurement it is told. It exists so that everything above it runs, with real formats and the real verifier, on
 * machines without the hardware.
 */
import type { SimulatedTrust } from "@donjon/attest/simulated-trust";
import { makeReportSigner } from "./amd/signer.ts";
import type { Signer, SimulatedEvidence, SimulatedLaunch } from "./evidence.ts";
import { makeQuoteSigner } from "./intel/signer.ts";
import { type Machine, openMachine } from "./machine.ts";
import { openPrivateDirectory } from "./private-files.ts";
import type { SimulatedTcb } from "./simulated-tcb.ts";
import { isFresh, loadTrust, makeTrust } from "./trust-store.ts";

export type { SimulatedEvidence, SimulatedLaunch } from "./evidence.ts";

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
  const load = () =>
    tcb === undefined ? loadTrust(directory, machine, now()) : makeTrust(machine, now(), tcb);
  return new SimulatedProcessor({ machine, now, load }, await load());
}

const MEASUREMENT_BYTES = { snp: 48, sgx: 32 } as const;
const REPORT_DATA_BYTES = 64;

interface Parts {
  readonly machine: Machine;
  readonly now: () => Date;
  readonly load: () => Promise<SimulatedTrust>;
}

class SimulatedProcessor implements SecurityProcessor {
  readonly #parts: Parts;
  /** Made at first use and again when the trust is renewed: most processes need one of them. */
  readonly #signers = new Map<SimulatedLaunch["tee"], Signer>();
  #trust: SimulatedTrust;
  #renewal: Promise<SimulatedTrust> | undefined;

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
    // Copies: the caller may write to its bytes while the trust is renewed.
    const inputs = [measurement.slice(), reportData.slice()] as const;
    await this.renewTrust();
    return this.#signer(tee)(...inputs);
  }

  async #renew(): Promise<SimulatedTrust> {
    try {
      this.#trust = await this.#parts.load();
      this.#signers.clear();
      return this.#trust;
    } finally {
      this.#renewal = undefined;
    }
  }

  #signer(tee: SimulatedLaunch["tee"]): Signer {
    const make = tee === "snp" ? makeReportSigner : makeQuoteSigner;
    const signer = this.#signers.get(tee) ?? make(this.#parts.machine, this.#trust);
    this.#signers.set(tee, signer);
    return signer;
  }
}

function requireLength(what: string, bytes: Uint8Array, wanted: number): void {
  if (bytes.length !== wanted)
    throw new RangeError(`The ${what} has ${bytes.length} octets, wanted ${wanted}`);
}
