/** Fetching against a loopback server that answers as AMD and Intel do, and in every way that they should not. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { DonjonError, type ErrorCode } from "@donjon/core/errors";
import { FAKE_NOW, type FakeEvidence, makeEvidence, makeFakeAmd } from "@donjon/testkit/amd";
import {
  INTEL_NOW,
  type IntelEvidence,
  makeFakeIntel,
  makeIntelEvidence,
} from "@donjon/testkit/intel";
import {
  type Reply,
  serveKds,
  servePcs,
  startVendorServer,
  type VendorServer,
} from "@donjon/testkit/vendor-server";
import {
  createFileStore,
  createMemoryStore,
  createSource,
  fetchIntelCollateral,
  fetchSnpEndorsements,
  type SourceOptions,
  vcekUrl,
} from "../../src/collateral.ts";
import { parseReport, verifySnp } from "../../src/snp.ts";
import { verifyTdx } from "../../src/tdx.ts";
import { readVector, skipVectors, warnSkipped } from "../vectors.ts";

let server: VendorServer;
let snp: FakeEvidence;
let tdx: IntelEvidence;

before(async () => {
  const amd = await makeFakeAmd("Turin");
  const intel = await makeFakeIntel();
  snp = await makeEvidence(amd, { version: 5, signer: "vcek" });
  tdx = await makeIntelEvidence(intel, { version: 4, body: "td-1.0" });
  server = await startVendorServer(serveKds(amd, snp), servePcs(tdx));
});
beforeEach(() => server.interfere(undefined));
after(() => server.close());

/** A source that waits for nothing and remembers what it would have waited for. */
function source(options: SourceOptions = {}) {
  const waits: number[] = [];
  const sleep = async (ms: number) => void waits.push(ms);
  return Object.assign(createSource({ fetch, sleep, ...options }), { waits });
}

const fetchSnp = (from: ReturnType<typeof source>) =>
  fetchSnpEndorsements(snp.report, from, { baseUrl: server.baseUrl });
const fetchTdx = (from: ReturnType<typeof source>) =>
  fetchIntelCollateral(tdx.quote, from, { baseUrl: server.baseUrl });

function failure(code: ErrorCode, message?: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof DonjonError, String(error));
    assert.equal(error.code, code, error.message);
    if (message !== undefined) assert.match(error.message, message);
    return true;
  };
}

test("what the KDS has verifies the report it was asked for, with nothing relaxed", async () => {
  const endorsements = await fetchSnp(source());
  const verified = await verifySnp(snp.report, endorsements, { now: FAKE_NOW, roots: snp.roots });
  assert.ok(verified.checks.every(({ ok, allowed }) => ok && allowed === undefined));
  const [vcek] = server.requests.filter((path) => path.includes("?"));
  assert.equal(
    vcek,
    "/vcek/v1/Turin/c5c5c5c5c5c5c5c5?fmcSPL=01&blSPL=04&teeSPL=02&snpSPL=24&ucodeSPL=219",
  );
});

test("what the PCS has verifies the quote it was asked for, with nothing relaxed", async () => {
  const collateral = await fetchTdx(source());
  const verified = await verifyTdx(tdx.quote, collateral, { now: INTEL_NOW, roots: tdx.roots });
  assert.equal(verified.claims.tcb?.status, "UpToDate");
  const asked = server.requests.filter((path) => path.includes("certification"));
  for (const wanted of [
    /^\/tdx\/certification\/v4\/tcb\?fmspc=[0-9a-f]{12}&update=standard$/,
    /^\/tdx\/certification\/v4\/qe\/identity\?update=standard$/,
    /^\/sgx\/certification\/v4\/pckcrl\?ca=platform&encoding=der$/,
    /^\/sgx\/certification\/v4\/rootcacrl$/,
  ]) {
    assert.ok(
      asked.some((path) => wanted.test(path)),
      String(wanted),
    );
  }
});

test("a set of collateral may be chosen by its number", async () => {
  const { baseUrl } = server;
  const update = { tcbEvaluationDataNumber: 17 };
  await fetchIntelCollateral(tdx.quote, source(), { baseUrl, update });
  assert.ok(server.requests.some((path) => path.endsWith("&tcbEvaluationDataNumber=17")));
});

test("a fresh answer is not asked for again, an old one is, and ten at once are one", async () => {
  let now = 1_000_000;
  const from = source({ now: () => now, maxAgeMs: 1000 });
  const count = async (work: () => Promise<unknown>) => {
    const start = server.requests.length;
    await work();
    return server.requests.length - start;
  };
  assert.equal(await count(() => Promise.all(Array.from({ length: 10 }, () => fetchSnp(from)))), 3);
  assert.equal(await count(() => fetchSnp(from)), 0);
  now += 1001;
  assert.equal(await count(() => fetchSnp(from)), 2, "chain and CRL; the chip's certificate stays");
  now -= 5000;
  assert.equal(await count(() => fetchSnp(from)), 3, "a clock that went back");
});

test("a busy service is asked again after the time it asks for, or twice as long each time", async () => {
  const busy = (times: number, reply: Reply) => {
    let left = times;
    server.interfere((path) => (path.includes("?") && left-- > 0 ? reply : undefined));
  };
  for (const [reply, waits] of [
    [{ status: 429, headers: { "retry-after": "7" } }, [7000, 7000]],
    [{ status: 503 }, [500, 1000]],
    [{ status: 503, headers: { "retry-after": "soon" } }, [500, 1000]],
    [{ status: 429, headers: { "retry-after": new Date(0).toUTCString() } }, [0, 0]],
  ] as const) {
    busy(2, reply);
    const from = source();
    await fetchSnp(from);
    assert.deepEqual(from.waits, waits);
  }
});

test("a service that stays busy, or wants a wait beyond the limit, is given up", async () => {
  server.interfere(() => ({ status: 429 }));
  const from = source({ attempts: 3 });
  await assert.rejects(fetchSnp(from), failure("collateral/unavailable", /status 429/));
  server.interfere(() => ({ status: 503, headers: { "retry-after": "86400" } }));
  const patient = source();
  await assert.rejects(fetchSnp(patient), failure("collateral/unavailable"));
  assert.deepEqual(patient.waits, []);
});

/** For an answer that comes: far more than a loaded machine takes. */
const PATIENT_MS = 60_000;

const WRONG: readonly (readonly [
  name: string,
  code: ErrorCode,
  reply: Reply,
  timeoutMs?: number,
])[] = [
  ["not found", "collateral/answer", { status: 404 }],
  ["a redirect", "collateral/answer", { status: 302, headers: { location: "/elsewhere" } }],
  ["garbage", "collateral/answer", { body: "<html>maintenance</html>" }],
  ["octets at random", "collateral/answer", { body: Uint8Array.of(0x30, 0x82, 0xff, 0xff, 1) }],
  ["nothing", "collateral/answer", { body: "" }],
  ["a size that is too much", "collateral/limit", { headers: { "content-length": "99999999" } }],
  ["a flood", "collateral/limit", { body: "x", fault: "flood" }],
  ["too much", "collateral/limit", { body: new Uint8Array(5 << 20) }],
  ["a body that never ends", "collateral/unavailable", { body: "x", fault: "hang" }, 100],
  ["an answer cut in the middle", "collateral/unavailable", { body: "x", fault: "cut" }],
];

for (const [name, code, reply, timeoutMs = PATIENT_MS] of WRONG) {
  test(`${name} instead of an answer is ${code}, for AMD and Intel, and is not kept`, async () => {
    const store = createMemoryStore();
    server.interfere(() => reply);
    const from = source({ attempts: 2, timeoutMs, store });
    await assert.rejects(fetchSnp(from), failure(code));
    await assert.rejects(fetchTdx(from), failure(code));
    server.interfere(undefined);
    // Another source: what the first still has under way is its own.
    assert.equal((await fetchSnp(source({ store }))).certificates.length, 3);
  });
}

test("a service that does not even answer is given up in time", async () => {
  const never: typeof fetch = (_url, options) =>
    new Promise((_, reject) => {
      options?.signal?.addEventListener("abort", () => reject(new Error("aborted")));
    });
  const started = performance.now();
  const from = source({ fetch: never, attempts: 2, timeoutMs: 50 });
  await assert.rejects(fetchSnp(from), failure("collateral/unavailable", /no answer within 50 ms/));
  assert.ok(performance.now() - started < 5000);
});

test("an answer without its issuer chain, or with a huge one, is refused", async () => {
  const body = `{"tcbInfo":${tdx.collateral.tcbInfo!.text},"signature":"${"00".repeat(64)}"}`;
  const isTcb = (path: string) => path.includes("/tcb?");
  server.interfere((path) => (isTcb(path) ? { body } : undefined));
  await assert.rejects(fetchTdx(source()), failure("collateral/answer", /no issuer chain/));
  const headers = { "TCB-Info-Issuer-Chain": "%41" };
  server.interfere((path) => (isTcb(path) ? { body, headers } : undefined));
  await assert.rejects(fetchTdx(source()), failure("collateral/answer"));
});

test("with the service gone an old answer is used, and verification says whether it holds", async () => {
  let now = 0;
  const from = source({ now: () => now, maxAgeMs: 1000, attempts: 1 });
  await fetchTdx(from);
  now = 1_000_000;
  server.interfere(() => ({ status: 503 }));
  const collateral = await fetchTdx(from);
  const late = new Date("2034-01-01T00:00:00Z");
  await assert.rejects(
    verifyTdx(tdx.quote, collateral, { now: late, roots: tdx.roots }),
    /holds at/,
  );
});

test("a store of files answers offline; without the answer it says what is missing", async () => {
  const files = new Map<string, Uint8Array>();
  const store = createFileStore({
    read: async (name) => files.get(name),
    write: async (name, bytes) => void files.set(name, bytes),
  });
  const offline = () =>
    fetchSnpEndorsements(snp.report, createSource({ store }), { baseUrl: server.baseUrl });
  await assert.rejects(offline(), failure("collateral/unavailable", /none in the store/));
  const online = await fetchSnp(source({ store }));
  assert.deepEqual(await offline(), online);
  for (const name of files.keys()) assert.match(name, /^[0-9a-f]{64}\.json$/);
  for (const garbage of ["", "null", "7", "{}", "{", `{"url":1}`]) {
    for (const name of files.keys()) files.set(name, new TextEncoder().encode(garbage));
    await assert.rejects(offline(), failure("collateral/unavailable"));
  }
});

test("a store that fails, or was changed, costs a request and no more", async () => {
  const broken = {
    get: () => Promise.reject(new Error("disk")),
    put: () => Promise.reject(new Error("full")),
  };
  assert.equal((await fetchSnp(source({ store: broken }))).certificates.length, 3);
  const changed = createMemoryStore();
  const put = changed.put.bind(changed);
  const store = {
    ...changed,
    put: (answer: Parameters<typeof put>[0]) => put({ ...answer, body: Uint8Array.of(1) }),
  };
  const from = source({ store });
  await fetchSnp(from);
  const before = server.requests.length;
  await fetchSnp(from);
  assert.equal(server.requests.length - before, 3);
});

test("memory keeps as many answers as it may, the newest", async () => {
  const store = createMemoryStore({ entries: 2 });
  for (const url of ["a", "b", "c"])
    await store.put({ url, atMs: 0, headers: {}, body: new Uint8Array() });
  assert.equal(await store.get("a"), undefined);
  assert.equal((await store.get("c"))?.url, "c");
});

test("reports and quotes that name no chip or platform say what is wanted instead", async () => {
  const masked = snp.report.slice();
  masked.fill(0, 0x1a0, 0x1e0);
  await assert.rejects(
    fetchSnpEndorsements(masked, source()),
    failure("collateral/unavailable", /masked/),
  );
  const intel = await makeFakeIntel();
  const { quote } = await makeIntelEvidence(intel, { version: 3, body: "sgx", chain: "ppid" });
  await assert.rejects(
    fetchIntelCollateral(quote, source()),
    failure("collateral/unavailable", /pckChain/),
  );
});

warnSkipped(2);

test("the KDS's address of real chips, by product", { skip: skipVectors }, () => {
  const url = (file: string, product?: "Milan") =>
    vcekUrl(parseReport(readVector(file)), product && { product });
  assert.equal(
    url("tee-attestation-verification/turin_attestation_report.bin"),
    "https://kdsintf.amd.com/vcek/v1/Turin/59790fb1c39f35c1?fmcSPL=01&blSPL=01&teeSPL=01&snpSPL=04&ucodeSPL=81",
  );
  assert.match(
    url("go-sev-guest/attestation.bin", "Milan"),
    /^https:\/\/kdsintf\.amd\.com\/vcek\/v1\/Milan\/[0-9a-f]{128}\?blSPL=\d\d&teeSPL=\d\d&snpSPL=\d\d&ucodeSPL=\d+$/,
  );
  assert.throws(
    () => url("go-sev-guest/attestation.bin"),
    failure("collateral/unavailable", /'product'/),
  );
});
