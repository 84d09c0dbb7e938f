/** `donjon attest`: asks a Keep, or a service, what it is, and explains the answer. */
import { createHash } from "node:crypto";
import type { KeepRecord } from "@donjon/client/agent/client";
import { type KeepStatement, verifyStatement } from "@donjon/client/attested/statement";
import { DonjonError } from "@donjon/core/errors";
import { readFile } from "../evidence/files.ts";
import { openOwner } from "../identity/owner.ts";
import { openAgent } from "../keeps/connect.ts";
import type { AgentFlags, EvidenceFlags } from "../keeps/options.ts";
import { findReceipt } from "../keeps/receipts.ts";
import { openSessionAt } from "../keeps/session.ts";
import { formatAge } from "../output/duration.ts";
import { EXIT } from "../output/exit-codes.ts";
import { createStyle, showSafely } from "../output/style.ts";
import {
  type Answer,
  answerRefusal,
  answerStatement,
  describeAnswer,
  type ExpectedDigests,
  listStatement,
  readExpected,
} from "../trust/answer.ts";
import { findImage } from "../trust/image.ts";
import { requireNewProof, writeProof } from "../trust/proof.ts";
import { createTrust, type Trust } from "../trust/trust.ts";
import { readServiceEvidence } from "./service.ts";

export interface AttestOptions extends AgentFlags, EvidenceFlags {
  readonly manifest?: string;
  readonly workload?: string;
  readonly proof?: string;
  /** `https://` only. */
  readonly fresh?: boolean;
  readonly insecureRoot?: string;
  readonly json?: boolean;
}

/** Something that was asked, and what else is to be said of it. */
interface Asked {
  readonly trust: Trust;
  readonly statement: () => Promise<KeepStatement>;
  readonly notes: readonly string[];
  /** As the host tells of it; `null` for a service. */
  readonly keep: KeepRecord | null;
  /** Where a service was asked; `null` for a Keep. */
  readonly service: string | null;
  readonly owner: Uint8Array | null;
  /** What was deployed from here, and has to run unless the caller expects something else. */
  readonly deployed: ExpectedDigests | null;
  readonly name: string;
  /** The key of the service as `curl --pinnedpubkey` takes it; `null` until it is proved, and for a Keep. */
  readonly pin: string | null;
}

/** Exit code 0: accepted, and what the caller expects; 120: not. */
export async function runAttest(target: string, options: AttestOptions): Promise<number> {
  if (options.proof !== undefined) requireNewProof(options.proof);
  const expected = readExpected(options);
  const asked = /^https:/i.test(target)
    ? await askService(target, options)
    : await askKeep(target, options);
  const { trust } = asked;
  let answer: Answer;
  let proof: string | null = null;
  try {
    const statement = await asked.statement();
    const wanted = { ...asked.deployed, ...expected };
    answer = answerStatement(statement, wanted, [...trust.notes, ...asked.notes]);
    if (options.proof !== undefined) proof = await writeProof(options.proof, statement, trust);
  } catch (error) {
    answer = answerRefusal(error, trust, trust.notes);
  }
  process.stdout.write(
    options.json ? encodeAnswer(answer, asked, options) : describe(answer, asked, proof),
  );
  return answer.verdict === "accepted" ? EXIT.ok : EXIT.refused;
}

async function askKeep(name: string, options: AttestOptions): Promise<Asked> {
  if (!/^[0-9A-Za-z-]+$/.test(name)) {
    throw new DonjonError(
      "usage",
      `'${name}' is neither the name or id of a Keep nor the address of a service, which is https://HOST:PORT`,
    );
  }
  if (options.fresh || options.insecureRoot !== undefined)
    throw new DonjonError("usage", "--fresh and --insecure-root are for https:// only");
  const agent = openAgent(options);
  const keep = await agent.getKeep(name);
  const receipt = findReceipt(agent.address, name, keep);
  const trust = await createTrust(options, keep, () => agent.getSimulatedTrust());
  const identity = openOwner(options.identity);
  return {
    trust,
    statement: async () => {
      const session = await openSessionAt(agent, keep, { trust, identity, expect: "any" });
      session.close();
      return session.statement;
    },
    notes: [],
    keep,
    service: null,
    owner: identity.digest,
    deployed: receipt && { manifest: receipt.manifest, workload: receipt.workload },
    name: keep.id,
    pin: null,
  };
}

async function askService(text: string, options: AttestOptions): Promise<Asked> {
  const url = readUrl(text);
  const { insecureRoot } = options;
  if (options.insecure && insecureRoot === undefined) {
    throw new DonjonError(
      "usage",
      "simulated evidence of a service needs the roots of its machine: --insecure-root FILE, such as a proof's .simulated-roots.json",
    );
  }
  const claimed = { protects: insecureRoot === undefined, backend: null };
  const trust = await createTrust(
    { ...options, insecure: insecureRoot !== undefined },
    claimed,
    async () => new TextDecoder().decode(readFile(insecureRoot!)),
  );
  let notes: string[] = [];
  let pin: string | null = null;
  return {
    trust,
    get pin() {
      return pin;
    },
    get notes() {
      return notes;
    },
    statement: async () => {
      const { cmw, spki, nonce } = await readServiceEvidence(url, options.fresh ?? false);
      if (nonce === null)
        notes = ["the evidence is as old as the certificate; --fresh asks for new evidence"];
      const key = createHash("sha256").update(spki).digest();
      const statement = await verifyStatement(cmw, { nonce, exporter: null, key }, trust.verify);
      pin = `sha256//${key.toString("base64")}`;
      return statement;
    },
    keep: null,
    service: url.host,
    owner: null,
    deployed: null,
    name: url.href,
  };
}

function readUrl(text: string): URL {
  const url = URL.parse(text);
  if (url !== null && url.username === "" && url.password === "") return url;
  throw new DonjonError("usage", `'${text}' is no address; wanted https://HOST:PORT`);
}

function describe(answer: Answer, asked: Asked, proof: string | null): string {
  const rows = [...listImage(answer, asked), ...listStatement(answer, asked.owner)];
  const { keep, service } = asked;
  if (keep !== null) {
    const age = formatAge(Date.now() - keep.createdAt);
    const since = new Date(keep.createdAt).toISOString();
    const what = `${keep.id} ${showSafely(keep.name)} (${keep.backend})`;
    rows.push(["keep", `${what}, as the host says`]);
    rows.push(["since", `${since} (${age}), as the host says`]);
  }
  if (service !== null) rows.push(["service", showSafely(service)]);
  if (asked.pin !== null && answer.verdict === "accepted")
    rows.push(["key", `${asked.pin} (for curl -k --pinnedpubkey)`]);
  if (proof !== null) rows.push(["proof", `written; to ask it again: ${proof}`]);
  return describeAnswer(answer, asked.trust, rows, createStyle(process.stdout));
}

function listImage(answer: Answer, { trust }: Asked): [string, string][] {
  if (answer.claims === null) return [];
  const image = findImage(answer, trust);
  if (image === null) return [["image", "not one that is built here"]];
  const digest = image.digest === null ? "" : `sha256:${image.digest}, `;
  return [["image", `${digest}built here (${image.about})`]];
}

/** docs/json.md has the same shape. */
function encodeAnswer(answer: Answer, asked: Asked, { proof }: AttestOptions): string {
  const { kind, verdict, claims, checks, at, anchor, notes, running } = answer;
  const { keep, service, pin, trust } = asked;
  const image = claims === null ? null : findImage(answer, trust);
  const json = {
    ...{ target: asked.name, insecure: trust.insecure },
    ...{ kind, verdict, claims, checks, at, anchor, notes },
    ...(running ?? { manifest: null, workload: null, owner: null }),
    image: image?.digest ?? null,
    keep: keep && {
      ...{ id: keep.id, name: keep.name, backend: keep.backend },
      since: new Date(keep.createdAt).toISOString(),
    },
    service: service && { host: service, key: verdict === "accepted" ? pin : null },
    proof: proof ?? null,
  };
  return `${JSON.stringify(json)}\n`;
}
