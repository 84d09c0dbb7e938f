import assert from "node:assert/strict";
import { createHash, createPublicKey, randomBytes, verify } from "node:crypto";
import { cp, readFile, writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { donjonRun, makeFolder, type Running, startRun } from "../support/keep.ts";

const EXAMPLES = join(import.meta.dirname, "../../examples");
const example = (name: string): string => join(EXAMPLES, name);

test("hello says what it was given and cannot open the host's files", async () => {
  const { code, stdout, stderr } = await donjonRun([example("hello")]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^Hello from inside a Keep\.$/m);
  assert.match(stdout, /^ {2}arguments {4}3: hello\.wasm from donjon\.toml$/m);
  assert.match(stdout, /^ {2}environment {2}1: GREETING=Hello from inside a Keep\.$/m);
  assert.match(stdout, /^ {2}random {7}(?!0{32})[0-9a-f]{32}$/m);
  assert.match(stdout, /^ {2}directory {4}\/scratch: empty$/m);
  assert.match(stdout, /^ {2}host's files \/etc\/passwd: /m);
  assert.doesNotMatch(stdout, /OPENED/);
});

test("mandelbrot draws the same picture as outside", async () => {
  const { code, stdout, stderr } = await donjonRun([example("mandelbrot")]);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, await readFile(join(EXAMPLES, "mandelbrot/expected.txt"), "utf8"));
});

test("sha256 reads stdin to its end", async () => {
  const input = randomBytes(5_000_001);
  const { code, stdout, stderr } = await donjonRun([example("sha256")], input);
  assert.equal(code, 0, stderr);
  const digest = createHash("sha256").update(input).digest("hex");
  assert.equal(stdout, `${digest}  ${input.length} bytes\n`);
});

test("word-index reads one directory and its index comes back in another", async (t) => {
  const folder = join(await makeFolder(t), "word-index");
  await cp(example("word-index"), folder, { recursive: true });
  const { code, stdout, stderr } = await donjonRun([folder]);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "3 files, 86 words, 57 different\n  the 10\n  is 4\n  la 4\n");
  const index = await readFile(join(folder, "out/index.txt"), "utf8");
  assert.equal(index, await indexWords(["en/gate.txt", "en/keep.txt", "fr.txt"]));
});

/** What word-index must write, found another way. */
async function indexWords(files: readonly string[]): Promise<string> {
  const words = new Map<string, string[]>();
  for (const file of files) {
    const text = await readFile(join(EXAMPLES, "word-index/texts", file), "utf8");
    for (const word of text.toLowerCase().match(/[a-z]+/g) ?? []) {
      words.set(word, [...(words.get(word) ?? []), file]);
    }
  }
  return [...words]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([word, found]) => `${word} ${found.length} ${[...new Set(found)].join(" ")}\n`)
    .join("");
}

test("threads share memory and agree", async () => {
  const { code, stdout, stderr } = await donjonRun([example("threads")]);
  assert.equal(code, 0, stderr);
  const counts = "joined 78498, atomics 78498, channel 78498";
  assert.equal(stdout, `primes below 1000000, 4 threads\n${counts}\n`);
});

test("signer signs with a secret that it was given and never prints it", async (t) => {
  const seed = randomBytes(32).toString("hex");
  const secret = join(await makeFolder(t), "key");
  await writeFile(secret, seed);
  const args = ["--secret", `SIGNING_KEY=@${secret}`, example("signer")];
  const { code, stdout, stderr } = await donjonRun(args, "first\nsecond statement\n");
  assert.equal(code, 0, stderr);
  assert.ok(!stdout.includes(seed) && !stderr.includes(seed));
  const [head = "", ...lines] = stdout.trimEnd().split("\n");
  const x = Buffer.from(head.replace("public key ", ""), "hex").toString("base64url");
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  assert.deepEqual(
    lines.map((line) => line.slice(129)),
    ["first", "second statement"],
  );
  for (const line of lines) {
    const signature = Buffer.from(line.slice(0, 128), "hex");
    assert.ok(verify(null, Buffer.from(line.slice(129)), key, signature), line);
  }
});

test("signer without its secret does not run", async () => {
  const { code, stdout } = await donjonRun([example("signer")]);
  assert.notEqual(code, 0);
  assert.equal(stdout, "");
});

test("http-server holds 500 connections at once, serves a client Keep, and stops when told", async (t) => {
  const port = await findPort();
  const server = await startOnPort(t, "http-server", "donjon.toml", 8080, port);
  await server.waitFor("http-server: ready");

  const agent = new Agent({ keepAlive: true, maxSockets: 500 });
  t.after(() => agent.destroy());
  const asked = Array.from({ length: 1000 }, () => fetchText(port, "/", agent));
  assert.deepEqual(new Set(await Promise.all(asked)), new Set(["Hello from inside a Keep.\n"]));

  const client = startOnPort(t, "tcp-client", "donjon.toml", 8080, port);
  const { code, stdout, stderr } = await (await client).finished;
  assert.equal(stdout, "HTTP/1.1 200 OK\n1001\n", stderr);
  assert.equal(code, 0);

  agent.destroy();
  assert.equal(await fetchText(port, "/stop", undefined, "POST"), "Stopping.\n");
  const stopped = await server.finished;
  assert.match(stopped.stderr, /^http-server: 1002 requests$/m);
  assert.equal(stopped.code, 0);
});

test("http-server finds its listener behind a directory that it is given", async (t) => {
  const port = await findPort();
  const texts = `${join(EXAMPLES, "word-index/texts")}:/texts`;
  const module = join(EXAMPLES, "http-server/http-server.wasm");
  const server = startRun(t, [module, "--listen", `http=${port}`, "--dir", texts]);
  await server.waitFor("http-server: ready");
  assert.equal(await fetchText(port, "/"), "Hello from inside a Keep.\n");
  assert.equal(await fetchText(port, "/stop", undefined, "POST"), "Stopping.\n");
  assert.equal((await server.finished).code, 0);
});

test("http-server refuses a request that is too long and goes on", async (t) => {
  const port = await findPort();
  const server = await startOnPort(t, "http-server", "donjon.toml", 8080, port);
  await server.waitFor("http-server: ready");
  const socket = connect(port, "127.0.0.1");
  socket.write(`GET /${"a".repeat(10_000)}`);
  assert.match(await readAll(socket), /^HTTP\/1\.1 431 /);
  assert.equal(await fetchText(port, "/count"), "1\n");
});

test("enarx-echo answers lines over TLS by its Enarx.toml, for one client after another", async (t) => {
  const port = await findPort();
  const server = await startOnPort(t, "enarx-echo", "Enarx.toml", 8443, port);
  await server.waitFor("echo: ready on descriptor 3");
  const long = "x".repeat(100_000);
  assert.deepEqual(await echoLines(port, ["one", long, "three"]), ["one", long, "three"]);
  await server.waitFor("echo: a client left");
  assert.deepEqual(await echoLines(port, ["again", "quit"]), ["again", "quit"]);
  const { code, stdout, stderr } = await server.finished;
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^echo: done$/m);
});

/** Runs a copy of an example whose manifest names `port` instead of the one in the repository. */
async function startOnPort(
  t: TestContext,
  name: string,
  manifest: string,
  own: number,
  port: number,
): Promise<Running> {
  const folder = join(await makeFolder(t), name);
  await cp(example(name), folder, { recursive: true });
  const path = join(folder, manifest);
  const text = await readFile(path, "utf8");
  const moved = text.replace(`port = ${own}`, `port = ${port}`);
  assert.notEqual(moved, text);
  await writeFile(path, moved);
  return startRun(t, [folder]);
}

/** A port that was free a moment ago. */
async function findPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function fetchText(port: number, path: string, agent?: Agent, method = "GET"): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, path, method, ...(agent && { agent }) };
    const sent = request(options, async (response) => resolve(await readAll(response)));
    sent.on("error", reject).end();
  });
}

async function readAll(stream: AsyncIterable<Buffer | string>): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += chunk;
  return text;
}

/** Sends lines over TLS, one after the answer to the other, and closes. */
async function echoLines(port: number, lines: readonly string[]): Promise<string[]> {
  // The certificate is the Keep's own; nothing vouches for it without evidence.
  const socket: Socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false });
  const answers = createInterface({ input: socket })[Symbol.asyncIterator]();
  const received: string[] = [];
  for (const line of lines) {
    socket.write(`${line}\n`);
    const { value, done } = await answers.next();
    if (done) break;
    received.push(value);
  }
  socket.end();
  return received;
}
