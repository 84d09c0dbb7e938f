/**
 * The verifier's size as a page loads it: bundled, minified, gzipped. Says which source files are in each bundle, so
 * that a leak is named, not only weighed.
 */
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

import { camelCase } from "../packages/attest/src/appraise/knob.ts";
import { SUBPATHS } from "./pack.ts";

const ROOT = dirname(import.meta.dirname);

interface Budget {
  readonly name: string;
  /** Names to import, as a user of the package would. */
  readonly source: string;
  readonly maxGzipBytes: number;
  /** Inputs that must not be in the bundle. */
  readonly foreign?: RegExp;
}

const BUDGETS: readonly Budget[] = [
  {
    name: "SNP verification alone",
    source: `export { verifySnp } from "@donjon/attest/snp";`,
    maxGzipBytes: 15 * 1024,
    foreign: /attest\/src\/(tdx|sgx|intel|nitro|appraise|envelope)\b|node_modules/,
  },
  {
    name: "TDX verification alone",
    source: `export { verifyTdx } from "@donjon/attest/tdx";`,
    maxGzipBytes: 18 * 1024,
    foreign: /attest\/src\/(snp|sgx|nitro|appraise|envelope)\b|trust\/amd|node_modules/,
  },
  {
    // What verifying takes, whatever comes; docs/decisions/0030-verifier-sizes.md says what is not in it and why.
    name: "verifying everything: all kinds of evidence with their collateral, policies, envelopes, bundles",
    source: `
      export { verifyEvidence } from "@donjon/attest/verify";
      export { detectEvidence } from "@donjon/attest/detect";
      export { parseReport, tableEndorsements } from "@donjon/attest/snp";
      export { parsePcsAnswers, parseQuoteCollateralV3 } from "@donjon/attest/tdx";
      export { appraise, diffClaims, explain, formatDiff, parsePolicy, requireAccepted } from "@donjon/attest/appraise";
      export {
        encodeBundle, makeBundle, parseBundle, parseCmwCbor, parseCmwJson, readCmwExtension, readRaTlsExtension,
        verifyBundle, verifyRaTlsBinding,
      } from "@donjon/attest/envelope";`,
    maxGzipBytes: 45 * 1024,
    foreign: /node_modules\/(jose|smol-toml\/dist\/parse)/,
  },
  {
    name: "policies in TOML, besides",
    source: `export { parsePolicyToml } from "@donjon/attest/appraise";`,
    maxGzipBytes: 10 * 1024,
  },
  {
    name: "results as EAR tokens, besides",
    source: `export { encodeEar, parseEar, signEar, verifyEar } from "@donjon/attest/envelope";`,
    maxGzipBytes: 9 * 1024,
  },
  {
    name: "fetching collateral, alone",
    source: `export { createSource, fetchIntelCollateral, fetchSnpEndorsements } from "@donjon/attest/collateral";`,
    maxGzipBytes: 15 * 1024,
    foreign: /attest\/src\/(appraise|envelope|nitro)\b|node_modules/,
  },
  {
    // The sum of it all, dependencies included: no goal, but nobody should be surprised by it.
    name: "every export of the package",
    source: SUBPATHS.map(
      (path) => `export * as ${camelCase(path.replace("-", "_"))} from "@donjon/attest/${path}";`,
    ).join("\n"),
    maxGzipBytes: 80 * 1024,
  },
];

async function measure({ source }: Budget): Promise<{ gzipBytes: number; inputs: string[] }> {
  const result = await build({
    absWorkingDir: ROOT,
    stdin: { contents: source, resolveDir: join(ROOT, "packages/attest"), loader: "ts" },
    bundle: true,
    write: false,
    minify: true,
    metafile: true,
    format: "esm",
    platform: "browser",
    target: "es2024",
    conditions: ["source"],
    legalComments: "none",
    logLevel: "warning",
  });
  const [output] = Object.values(result.metafile.outputs);
  const inputs = Object.entries(output?.inputs ?? {})
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([path]) => path);
  return { gzipBytes: gzipSync(result.outputFiles[0]!.contents, { level: 9 }).length, inputs };
}

for (const budget of BUDGETS) {
  const { gzipBytes, inputs } = await measure(budget);
  const { foreign } = budget;
  const leaked = foreign === undefined ? [] : inputs.filter((path) => foreign.test(path));
  const ok = gzipBytes <= budget.maxGzipBytes && leaked.length === 0;
  console.log(
    `${ok ? "ok  " : "FAIL"}  ${budget.name}: ${gzipBytes} of ${budget.maxGzipBytes} octets gzip, ${inputs.length} files`,
  );
  for (const path of leaked) console.log(`      must not be in it: ${path}`);
  if (!ok) process.exitCode = 1;
}
