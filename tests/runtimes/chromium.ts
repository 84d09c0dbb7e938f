/** Runs a page of ours in headless Chromium, with a fresh profile and only a loopback server to talk to. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
];

export interface PageFile {
  readonly type: "text/html" | "text/javascript" | "application/json" | "application/octet-stream";
  readonly body: string | Uint8Array;
}

export interface PageOptions {
  readonly timeoutMs: number;
  /** Lines that the page sends while it works. */
  readonly onProgress?: (text: string) => void;
}

/** Where Chromium is; `undefined` when the machine has none. */
export function findChromium(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(existsSync);
}

/** The reason to skip, for `node:test`; false when there is a Chromium. */
export const skipChromium: string | false =
  findChromium() === undefined ? `none of ${NAMES.join(", ")} is installed` : false;

/**
 * Opens `/` of what `serve` has and waits until the page posts to `/result`.
 * @returns what the page posted, parsed
 */
export async function runInChromium(
  serve: (path: string) => PageFile | undefined,
  options: PageOptions,
): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const server = createServer(async (incoming, response) => {
    const { pathname } = new URL(incoming.url ?? "/", "http://page");
    if (incoming.method === "POST") {
      const text = await readText(incoming);
      response.end();
      if (pathname === "/result") resolve(JSON.parse(text));
      else options.onProgress?.(text);
    } else answer(response, serve(pathname));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const profile = mkdtempSync(join(tmpdir(), "donjon-chromium-"));
  const args = [...FLAGS, `--user-data-dir=${profile}`, `http://127.0.0.1:${port}/`];
  const browser = spawn(findChromium()!, args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  browser.stderr.on("data", (chunk: Buffer) => {
    said = `${said}${chunk}`.slice(-4000);
  });
  const ended = new Promise<void>((done) => browser.on("close", () => done()));
  browser.on("exit", (code) => reject(new Error(`Chromium ended with ${code}: ${said}`)));
  const timer = setTimeout(
    () => reject(new Error(`no result within ${options.timeoutMs} ms; Chromium said: ${said}`)),
    options.timeoutMs,
  );
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    browser.kill("SIGKILL");
    await ended;
    server.closeAllConnections();
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

function answer(response: ServerResponse, file: PageFile | undefined): void {
  if (file === undefined) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { "content-type": file.type, "cache-control": "no-store" });
  response.end(file.body);
}

async function readText(incoming: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of incoming.setEncoding("utf8")) text += chunk;
  return text;
}
