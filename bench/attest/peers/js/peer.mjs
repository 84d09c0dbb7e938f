// @phala/dcap-qvl (JavaScript) or, with PEER=wasm, @phala/dcap-qvl-web (its Rust as WebAssembly).
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);
const [command, file, id, rounds, ms] = process.argv.slice(2);
const verify = process.env.PEER === "wasm" ? await loadWasm() : loadJs();

function loadJs() {
  const { QuoteVerifier, verify: verifyProduction } = require("@phala/dcap-qvl");
  return ({ evidence, collateral, root, now }) => {
    const quote = new Uint8Array(Buffer.from(evidence, "base64"));
    if (root === null) return verifyProduction(quote, collateral, now);
    return QuoteVerifier.newWithRootCa(Buffer.from(root, "base64")).verify(quote, collateral, now);
  };
}

async function loadWasm() {
  const folder = dirname(require.resolve("@phala/dcap-qvl-web/package.json"));
  const wasm = await import(join(folder, "dcap-qvl-web.js"));
  wasm.initSync({ module: readFileSync(join(folder, "dcap-qvl-web_bg.wasm")) });
  return ({ evidence, collateral, root, now }) => {
    if (root !== null) throw new Error("SKIP: takes no root of the caller's");
    return wasm.js_verify(new Uint8Array(Buffer.from(evidence, "base64")), collateral, BigInt(now));
  };
}

const cases = JSON.parse(readFileSync(file, "utf8")).filter(({ kind }) => kind !== "snp");
if (command === "check") {
  for (const one of cases) {
    let answer;
    try {
      const result = verify(one);
      answer = { accepted: true, says: result.status };
    } catch (error) {
      answer = { accepted: false, says: String(error?.message ?? error) };
    }
    console.log(JSON.stringify({ id: one.id, ...answer }));
  }
} else {
  const one = cases.find((candidate) => candidate.id === id);
  const out = [];
  for (let round = 0; round <= Number(rounds); round++) {
    const started = performance.now();
    let count = 0;
    for (; performance.now() - started < Number(ms); count++) verify(one);
    if (round > 0) out.push((performance.now() - started) / count);
  }
  console.log(JSON.stringify({ rounds: out }));
}
