/** AMD's KDS and Intel's PCS on loopback, over made-up evidence, with every way of answering badly. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { encodePem } from "@donjon/simtee/intel/pem";
import type { FakeAmd } from "./amd/authority.ts";
import type { FakeEvidence } from "./amd/evidence.ts";
import type { IntelEvidence } from "./intel/evidence.ts";

export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** `cut` ends the connection in the middle, `hang` never ends the body, `flood` never ends sending. */
  readonly fault?: "cut" | "hang" | "flood";
}

export type Handler = (path: string) => Reply | undefined;

export interface VendorServer {
  readonly baseUrl: string;
  /** Every request so far, path and query. */
  readonly requests: readonly string[];
  /** Answers before the vendor does; `undefined` leaves it to the vendor. */
  interfere(handler: Handler | undefined): void;
  close(): Promise<void>;
}

export async function startVendorServer(...vendors: readonly Handler[]): Promise<VendorServer> {
  const requests: string[] = [];
  let interference: Handler | undefined;
  const server = createServer((incoming: IncomingMessage, response) => {
    const path = incoming.url ?? "/";
    requests.push(path);
    const handlers = [interference, ...vendors];
    const reply = handlers.reduce<Reply | undefined>(
      (found, one) => found ?? one?.(path),
      undefined,
    );
    send(response, reply ?? { status: 404, body: "not found" });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    requests,
    interfere: (handler) => {
      interference = handler;
    },
    close: () => close(server),
  };
}

/** KDS: the certificate of one chip, chain and CRL of one product. */
export function serveKds(amd: FakeAmd, evidence: FakeEvidence): Handler {
  const chain = `${encodePem(amd.ask.certificate)}${encodePem(amd.ark.certificate)}`;
  return (path) => {
    const { pathname } = new URL(path, "http://kds");
    if (pathname === `/vcek/v1/${amd.product}/cert_chain`) return { body: chain };
    if (pathname === `/vlek/v1/${amd.product}/cert_chain`)
      return { body: `${encodePem(amd.asvk.certificate)}${encodePem(amd.ark.certificate)}` };
    if (/^\/v[cl]ek\/v1\/\w+\/crl$/.test(pathname)) return { body: evidence.crls[0]! };
    if (pathname.startsWith(`/vcek/v1/${amd.product}/`)) return { body: evidence.certificates[0]! };
    return undefined;
  };
}

/** PCS: TCB info and QE identity of one platform, both CRLs; as a PCCS it has the root's too. */
export function servePcs({ collateral }: IntelEvidence): Handler {
  const chain = (ders: readonly Uint8Array[]) => encodeURIComponent(ders.map(encodePem).join(""));
  const signed = (name: string, part: { text: string; signature: Uint8Array }) =>
    `{"${name}":${part.text},"signature":"${Buffer.from(part.signature).toString("hex")}"}`;
  return (path) => {
    const { pathname } = new URL(path, "http://pcs");
    if (/^\/(sgx|tdx)\/certification\/v4\/tcb$/.test(pathname))
      return {
        headers: { "TCB-Info-Issuer-Chain": chain(collateral.tcbInfoIssuerChain!) },
        body: signed("tcbInfo", collateral.tcbInfo!),
      };
    if (/^\/(sgx|tdx)\/certification\/v4\/qe\/identity$/.test(pathname))
      return {
        headers: { "SGX-Enclave-Identity-Issuer-Chain": chain(collateral.qeIdentityIssuerChain!) },
        body: signed("enclaveIdentity", collateral.qeIdentity!),
      };
    if (pathname === "/sgx/certification/v4/pckcrl") return { body: collateral.pckCrl! };
    if (pathname === "/sgx/certification/v4/rootcacrl")
      return { body: Buffer.from(collateral.rootCrl!).toString("hex") };
    return undefined;
  };
}

function send(
  response: ServerResponse,
  { status = 200, headers = {}, body = "", fault }: Reply,
): void {
  const bytes = Buffer.from(body);
  if (fault === undefined) {
    response.writeHead(status, headers).end(bytes);
    return;
  }
  // A flood does not announce itself; the others announce more than they send.
  const announced = fault === "flood" ? {} : { "content-length": String(bytes.length + 10) };
  response.writeHead(status, { ...headers, ...announced });
  if (fault === "cut") {
    response.write(bytes, () => response.destroy());
    return;
  }
  response.write(bytes);
  if (fault === "flood") flood(response);
}

function flood(response: ServerResponse): void {
  const block = Buffer.alloc(65_536);
  const more = (): void => {
    while (!response.destroyed && response.write(block));
    if (!response.destroyed) response.once("drain", more);
  };
  more();
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
