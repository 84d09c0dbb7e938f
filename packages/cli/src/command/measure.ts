import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { DonjonError } from "@donjon/core/errors";
import { type Command, Option } from "commander";
import type { Context } from "../program.ts";

interface MeasureOptions {
  readonly tee: "snp" | "tdx";
  readonly firmware?: string;
  readonly cpu?: string;
  readonly vcpus: number;
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
export function addMeasureCommand(image: Command, _context: Context): void {
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
    .option("--vcpus <n>", "virtual processors, snp only", readVcpus, 1)
    .option("--image <dir>", "the folder of an image; the one built last when not given")
    .option("-o, --output <file>", "write the reference values there")
    .option("--json", "print {tee, policy, imageDigest, files, machine, assumptions}")
    .addHelpText("after", EXAMPLES)
    .action(runMeasure);
}

async function runMeasure(options: MeasureOptions): Promise<void> {
  const [
    { measureImage },
    { encodeReferenceValues },
    { findFirmware, FIRMWARE_PATHS },
    { SNP_CPU },
  ] = await Promise.all([
    import("@donjon/host/measure/measure-image"),
    import("@donjon/host/measure/reference-values"),
    import("@donjon/host/backend/hardware"),
    import("@donjon/host/backend/snp"),
  ]);
  const { tee, vcpus, output } = options;
  const firmware = options.firmware ?? findFirmware(tee);
  if (firmware === null) {
    const places = FIRMWARE_PATHS[tee].join(", ");
    throw new DonjonError(
      "files/read",
      `this machine has no firmware for ${tee}: none of ${places} is there; name one with --firmware`,
    );
  }
  const image = await openImage(options.image);
  const values = measureImage({ tee, image, firmware, cpu: options.cpu ?? SNP_CPU, vcpus });
  const toml = encodeReferenceValues(values);
  if (output !== undefined) write(output, toml);
  if (options.json) process.stdout.write(`${JSON.stringify(values)}\n`);
  else if (output === undefined) process.stdout.write(toml);
}

/** @throws DonjonError `files/read` when there is no image that is up to date, or no such folder */
async function openImage(directory: string | undefined) {
  const [{ imageFiles, searchImage }, { findRuntime }] = await Promise.all([
    import("@donjon/host/image/find"),
    import("../early-keep.ts"),
  ]);
  if (directory !== undefined) {
    const [{ digestTree }, { listTree }] = await Promise.all([
      import("@donjon/host/image/digest"),
      import("@donjon/host/image/tree"),
    ]);
    const { digest } = digestTree(listTree(join(directory, "tree")));
    return imageFiles(resolve(directory), digest);
  }
  const found = searchImage({ engine: process.execPath, runtime: findRuntime() });
  if (found.image !== null) return found.image;
  throw new DonjonError(
    "files/read",
    `there is no Keep image to measure: ${found.why}; 'donjon image build' builds one, --image names another`,
  );
}

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (cause) {
    const message = `'${path}' cannot be written: ${(cause as Error).message}`;
    throw new DonjonError("files/write", message, { cause });
  }
}

function readVcpus(value: string): number {
  const count = Number(value);
  if (/^[0-9]+$/.test(value) && count >= 1 && count <= 4096) return count;
  throw new DonjonError("usage", `--vcpus wants a number from 1 to 4096, found '${value}'`);
}
