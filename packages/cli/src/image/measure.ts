/** `donjon image measure`. */
import { writeFileSync } from "node:fs";
import { DonjonError } from "@donjon/core/errors";
import { explainSystemError } from "@donjon/core/system-error";
import { FIRMWARE_PATHS, findFirmware } from "@donjon/host/backend/hardware";
import { SNP_CPU } from "@donjon/host/backend/snp";
import { measureImage } from "@donjon/host/measure/measure-image";
import { encodeReferenceValues } from "@donjon/host/measure/reference-values";
import type { MeasureOptions } from "../command/measure.ts";
import { EXIT } from "../output/exit-codes.ts";
import { openImage } from "./open-image.ts";

export function runImageMeasure(options: MeasureOptions): number {
  const { tee, vcpus = 1, output, cpu = SNP_CPU } = options;
  if (tee === "tdx" && (options.cpu !== undefined || options.vcpus !== undefined))
    throw new DonjonError("usage", "--cpu and --vcpus are for --tee snp: TDX measures neither");
  const firmware = options.firmware ?? findFirmware(tee);
  if (firmware === null) {
    const places = FIRMWARE_PATHS[tee].join(", ");
    throw new DonjonError(
      "files/read",
      `this machine has no firmware for ${tee}: none of ${places} is there; name one with --firmware`,
    );
  }
  const found = openImage(options.image);
  if (found.image === null) {
    throw new DonjonError(
      "files/read",
      `there is no Keep image to measure: ${found.why}; 'donjon image build' builds one, --image names another`,
    );
  }
  const values = measureImage({ tee, image: found.image, firmware, cpu, vcpus });
  const toml = encodeReferenceValues(values);
  if (output !== undefined) write(output, toml);
  if (options.json) process.stdout.write(`${JSON.stringify(values)}\n`);
  else if (output === undefined) process.stdout.write(toml);
  return EXIT.ok;
}

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (cause) {
    const message = `'${path}' cannot be written: ${explainSystemError(cause)}`;
    throw new DonjonError("files/write", message, { cause });
  }
}
