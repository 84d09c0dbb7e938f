/** `donjon policy init`: a policy for this image and these kinds of protection. */
import { writeFileSync } from "node:fs";
import { parsePolicyToml } from "@donjon/attest/appraise";
import { DonjonError } from "@donjon/core/errors";
import { explainSystemError } from "@donjon/core/system-error";
import { EXIT } from "../output/exit-codes.ts";
import { writeLine } from "../output/failure.ts";
import {
  findReferences,
  PROTECTING_KINDS,
  REFERENCE_KINDS,
  type ReferenceOptions,
  SIMULATED_KINDS,
} from "./reference.ts";
import { encodePolicyTemplate } from "./template.ts";

export interface PolicyInitOptions extends ReferenceOptions {
  readonly tee?: string;
  readonly output: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

export async function runPolicyInit(options: PolicyInitOptions): Promise<number> {
  const kinds = readKinds(options.tee);
  const simulated = kinds.some(isSimulated);
  const { tables, missing } = findReferences(kinds, options);
  if (tables.length === 0 || (options.tee !== undefined && missing.length > 0)) {
    const why = missing.join("; ");
    const instead = simulated ? "" : "; to try policies out without hardware: --tee process";
    throw new DonjonError("usage", `there is nothing to write a policy of. ${why}${instead}`);
  }
  const text = encodePolicyTemplate({ tables, simulated }, new Date());
  // Whoever reads it later must not be the first to find a mistake in it.
  parsePolicyToml(text);
  if (options.output === "-") process.stdout.write(text);
  else write(options.output, text, options.force ?? false);
  const tees = tables.map(({ tee }) => tee);
  if (options.json) writeLine(JSON.stringify({ policy: options.output, tees, missing }));
  else {
    for (const each of missing) writeLine(`donjon: left out ${each}`);
    if (options.output !== "-") writeLine(`wrote ${options.output} for ${tees.join(", ")}`);
  }
  return EXIT.ok;
}

function readKinds(text: string | undefined): readonly string[] {
  if (text === undefined) return PROTECTING_KINDS;
  const kinds = text.split(",").map((kind) => kind.trim());
  const wrong = kinds.find((kind) => !REFERENCE_KINDS.some((known) => known === kind));
  if (wrong !== undefined) {
    const known = REFERENCE_KINDS.join(", ");
    throw new DonjonError("usage", `--tee has '${wrong}', and some of ${known} are wanted`);
  }
  if (kinds.some(isSimulated) && !kinds.every(isSimulated)) {
    const simulated = SIMULATED_KINDS.join(" and ");
    throw new DonjonError(
      "usage",
      `--tee: ${simulated} stand alone, because simulated and real do not mix`,
    );
  }
  return kinds;
}

function isSimulated(kind: string): boolean {
  return SIMULATED_KINDS.some((each) => each === kind);
}

function write(path: string, text: string, force: boolean): void {
  try {
    writeFileSync(path, text, { flag: force ? "w" : "wx" });
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === "EEXIST";
    const message = exists
      ? `'${path}' is there already and was left alone; --force writes over it`
      : `'${path}' cannot be written: ${explainSystemError(cause)}`;
    throw new DonjonError("files/write", message, { cause });
  }
}
