import { DonjonError } from "@donjon/core/errors";
import { type Command, Option } from "commander";
import type { Context } from "../program.ts";

export interface MeasureOptions {
  readonly tee: "snp" | "tdx";
  readonly firmware?: string;
  readonly cpu?: string;
  readonly vcpus?: number;
  readonly image?: string;
  readonly output?: string;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  donjon image measure --tee snp                         the built image on this machine's firmware
  donjon image measure --tee snp --cpu EPYC-Genoa --vcpus 2 --firmware OVMF.amdsev.fd
  donjon image measure --tee tdx --output keep-tdx.toml  MRTD and RTMR1 to 3, and what they assume
  donjon verify report.bin --policy keep-snp.toml        the output is a policy

Not yet compared with hardware: launch digests equal those of other tools, TDX values follow public rules.
docs/formats/launch-measurement.md says what is covered. SGX: Gramine's signer computes MRENCLAVE.
`;

/** @param image the command `donjon image` */
export function addMeasureCommand(image: Command, context: Context): void {
  image
    .command("measure")
    .summary("compute what hardware will report for this image")
    .description(
      "Compute, offline, what evidence of a Keep that runs this image will say. Nothing is started.",
    )
    .addOption(
      new Option("--tee <kind>", "the kind of protection")
        .choices(["snp", "tdx"])
        .makeOptionMandatory(),
    )
    .option("--firmware <file>", "the OVMF build; this machine's own when not given")
    .option("--cpu <model>", "QEMU's name of the processor model, snp only (default: EPYC-v4)")
    .option("--vcpus <n>", "virtual processors, snp only (default: 1)", readVcpus)
    .option("--image <dir>", "the folder of an image; the one built last when not given")
    .option("-o, --output <file>", "write the reference values there")
    .option("--json", "print {tee, policy, imageDigest, files, machine, assumptions}")
    .addHelpText("after", EXAMPLES)
    .action(async (options: MeasureOptions) => {
      const { runImageMeasure } = await import("../image/commands.ts");
      context.exitCode = runImageMeasure(options);
    });
}

function readVcpus(value: string): number {
  const count = Number(value);
  if (/^[0-9]+$/.test(value) && count >= 1 && count <= 4096) return count;
  throw new DonjonError("usage", `--vcpus wants a number from 1 to 4096, found '${value}'`);
}
