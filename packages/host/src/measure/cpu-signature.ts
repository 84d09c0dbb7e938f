/**
 * CPUID signatures (Fn0000_0001_EAX; AMD 25481, CPUID Specification) of QEMU's models of AMD's server processors, which
 * the launch digest covers. Versions of a model differ in features, never in the signature.
 */

interface Identity {
  readonly family: number;
  readonly model: number;
  readonly stepping: number;
}

const NAPLES: Identity = { family: 23, model: 1, stepping: 2 };
const ROME: Identity = { family: 23, model: 49, stepping: 0 };
const MILAN: Identity = { family: 25, model: 1, stepping: 1 };
const GENOA: Identity = { family: 25, model: 17, stepping: 0 };
const TURIN: Identity = { family: 26, model: 0, stepping: 0 };

/** The newest version of each model that QEMU 11.1 has. */
const MODELS: readonly [name: string, versions: number, identity: Identity][] = [
  ["EPYC", 5, NAPLES],
  ["EPYC-Rome", 5, ROME],
  ["EPYC-Milan", 4, MILAN],
  ["EPYC-Genoa", 3, GENOA],
  ["EPYC-Turin", 2, TURIN],
];

/** CPUID signature by the name that QEMU's `-cpu` takes. */
export const CPU_SIGNATURES: ReadonlyMap<string, number> = new Map([
  ...MODELS.flatMap(([name, versions, identity]): [string, number][] => [
    [name, encodeCpuSignature(identity)],
    ...Array.from({ length: versions }, (_, at): [string, number] => [
      `${name}-v${at + 1}`,
      encodeCpuSignature(identity),
    ]),
  ]),
  ["EPYC-IBPB", encodeCpuSignature(NAPLES)],
]);

/** Extended family and model as the CPUID specification folds them into 32 bits. */
export function encodeCpuSignature({ family, model, stepping }: Identity): number {
  const extended = Math.max(0, family - 0xf);
  return (
    (extended << 20) |
    ((model >> 4) << 16) |
    ((family - extended) << 8) |
    ((model & 0xf) << 4) |
    stepping
  );
}
