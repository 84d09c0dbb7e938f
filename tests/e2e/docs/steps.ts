/**
 * Every command that a page shows in a `sh` block, with what it must do. `docs.test.ts` runs them in the order of
 * the page; `tools/check-docs.ts` proves that the pages show these commands and no others.
 */

/** A command that the test runs. */
export interface RunStep {
  readonly command: string;
  /** Exit code; 0 when not given. */
  readonly code?: number;
  /** What stdout and stderr together must match. */
  readonly output: RegExp;
  readonly stdin?: string;
  /** A server: the page goes on when its output holds this, and it ends by a later step. */
  readonly readyWhen?: string;
  /** Ports that the command or its manifest names; the test moves them to free ones. */
  readonly ports?: readonly number[];
  /** A command of the machine that says whether the step can run here, and what stands in for it when it cannot. */
  readonly needs?: { readonly probe: string; readonly instead: string };
  /** Flags that only the test gives. */
  readonly append?: string;
}

/** A command that no test can run. It must be a script of package.json, or `machine`: it changes the machine. */
export interface UnrunStep {
  readonly command: string;
  readonly why: string;
  readonly kind: "script" | "machine";
}

export type Step = RunStep | UnrunStep;

/** No real evidence is in the repository: the test makes some up and says so, and gives the moment it is made for. */
const MADE_UP = " --insecure-root ark.pem";
const AT = " --at 2026-06-01T01:00:00Z";

const SIMULATED_ROOT = "--insecure-root hello.donjon.simulated-roots.json";

export const STEPS: Readonly<Record<string, readonly Step[]>> = {
  "README.md": [
    {
      command: "npm start",
      kind: "script",
      why: "installs and builds in the working folder; its run is tested as examples/hello",
    },
    { command: "npm test", kind: "script", why: "runs this test" },
    {
      command: `echo 'fn main() { println!("hello from {:?}", std::env::args()) }' > app.rs`,
      output: /^$/,
    },
    {
      command: "rustc --target wasm32-wasip1 app.rs",
      output: /^$/,
      needs: {
        probe: 'test -d "$(rustc --target wasm32-wasip1 --print target-libdir)"',
        instead: "cp examples/hello/hello.wasm app.wasm",
      },
    },
    {
      command: "npx donjon run --insecure app.wasm -- its arguments",
      output: /hello from[\s\S]*app\.wasm[\s\S]*its[\s\S]*arguments/i,
    },
    {
      command: "npx donjon inspect app.wasm",
      output: /^app\.wasm\n[\s\S]*sha256 +[0-9a-f]{64}\n[\s\S]*fd_write/,
    },
    {
      command: "npx donjon init --module app.wasm",
      output: /^wrote donjon\.toml; try: donjon run --insecure \.$/m,
    },
    { command: "npx donjon run --insecure .", output: /hello from/i },
    {
      command: "npx donjon run --insecure examples/word-index",
      output: /^3 files, 86 words, 57 different$/m,
    },
    { command: "npx donjon help run", output: /^Usage: donjon run \[options\] <target>$/m },
    {
      command: "npx donjon image build",
      kind: "machine",
      why: "takes packages from the machine's package clients; packages/host/test/image builds images of small inputs",
    },
    {
      command: "npx donjon run --insecure --backend vm examples/hello",
      output: /^Hello from inside a Keep\.$/m,
      needs: {
        probe: `npx donjon platform --json | grep -q '"name":"vm","protects":false,"available":true'`,
        instead: "npx donjon run --insecure examples/hello",
      },
    },
  ],
  "examples/README.md": [
    {
      command: "npx donjon run --insecure examples/hello",
      output: /^Hello from inside a Keep\.$/m,
    },
    {
      command: "cat LICENSE | npx donjon run --insecure examples/sha256",
      output: /^[0-9a-f]{64} {2}\d+ bytes$/m,
    },
    { command: "openssl rand -hex 32 > key.hex", output: /^$/ },
    {
      command:
        'echo "The gate was closed at nine." | npx donjon run --insecure --secret SIGNING_KEY=@key.hex examples/signer',
      output: /^public key [0-9a-f]{64}\n[0-9a-f]{128} The gate was closed at nine\.$/m,
    },
    {
      command: "npx donjon run --insecure examples/http-server",
      output: /^http-server: 3 requests$/m,
      readyWhen: "http-server: ready",
      ports: [8080],
    },
    {
      command: "curl http://127.0.0.1:8080/",
      output: /^Hello from inside a Keep\.$/m,
      ports: [8080],
    },
    {
      command: "npx donjon run --insecure examples/tcp-client",
      output: /^HTTP\/1\.1 200 OK\n2$/m,
      ports: [8080],
    },
    { command: "curl -X POST http://127.0.0.1:8080/stop", output: /^Stopping\.$/m, ports: [8080] },
    {
      command: "npx donjon run --insecure examples/enarx-echo",
      output: /^echo: done$/m,
      readyWhen: "echo: ready on descriptor 3",
      ports: [8443],
    },
    {
      command: "openssl s_client -quiet -connect 127.0.0.1:8443",
      stdin: "one line\nquit\n",
      output: /^one line$/m,
      ports: [8443],
    },
    {
      command: "sh examples/build-all.sh",
      kind: "machine",
      why: "downloads compilers; the programs as built are tested",
    },
  ],
  "docs/agent.md": [
    {
      command: "npx donjon agent --pool 1",
      readyWhen: "agent listens",
      output: /agent stopped/,
    },
    {
      command: "npx donjon deploy --insecure --detach --name web examples/http-server",
      output: /^[0-9a-f]{16} {2}web$/m,
      ports: [8080],
    },
    { command: "npx donjon ps", output: /web +running +process +INSECURE/ },
    {
      command: "curl http://127.0.0.1:8080/",
      output: /^Hello from inside a Keep\.$/m,
      ports: [8080],
    },
    { command: "npx donjon rm --force web", output: /web/ },
    { command: "npx donjon agent stop", output: /the agent has stopped/ },
    {
      command: "npx donjon agent token add alice --max-keeps 4 --max-memory 4GiB > alice.token",
      output: /this is the token of alice, and it is not shown again/,
    },
    {
      command: "npx donjon agent token set alice --max-keeps 8 --max-lifetime 12h",
      output: /for new Keeps of alice: limits: 8 Keeps, 4 GiB memory, 12 h each/,
    },
    {
      command: "npx donjon agent token list",
      output: /^alice +user .* 8 Keeps, 4 GiB memory, 12 h each +\*:\* /m,
    },
    { command: "npx donjon agent token remove alice", output: /opens nothing any more/ },
    {
      command:
        "npx donjon agent token add bob --allow-connect '*:443' --allow-connect db.internal:5432 --allow-connect 10.1.0.0/16:8000-8100 --allow-listen 127.0.0.1:8080 > bob.token",
      output: /this is the token of bob, and it is not shown again/,
    },
  ],
  "docs/deploy.md": [
    { command: "npx donjon agent", readyWhen: "agent listens", output: /agent stopped/ },
    {
      command: "npx donjon deploy examples/hello",
      code: 125,
      output: /no hardware that protects a Keep .*nothing sent[\s\S]*hint: .*--insecure/,
    },
    {
      command: "npx donjon deploy --insecure examples/hello",
      output: /^Hello from inside a Keep\.$/m,
    },
    {
      command:
        "npx donjon deploy --insecure --detach --name web --proof web.donjon examples/http-server",
      output: /^[0-9a-f]{16} {2}web$[\s\S]*^INSECURE ACCEPTED {2}sgx evidence/m,
      ports: [8080],
    },
    { command: "npx donjon ps", output: /web +running +process +INSECURE/ },
    { command: "npx donjon logs --insecure web", output: /http-server: ready/ },
    {
      command: "npx donjon attest --insecure --workload examples/http-server/http-server.wasm web",
      output: /^INSECURE ACCEPTED[\s\S]*image +sha256:[0-9a-f]{64}, built here[\s\S]*\(you\)$/m,
    },
    {
      command: "npx donjon verify web.donjon --insecure-root web.donjon.simulated-roots.json",
      output: /^INSECURE ACCEPTED[\s\S]*workload +[0-9a-f]{64}$/m,
    },
    { command: "npx donjon stop --insecure web", output: /^web$/m },
    { command: "npx donjon rm web", output: /^web$/m },
    {
      command: "npx donjon policy init --tee process -o policy.toml",
      output: /^wrote policy\.toml for sgx$/m,
    },
    {
      command: "npx donjon deploy --insecure --policy policy.toml examples/hello",
      output: /^Hello from inside a Keep\.$/m,
    },
    { command: "npx donjon agent stop", output: /the agent has stopped/ },
  ],
  "docs/services.md": [
    {
      command: "npx donjon run --insecure --attest --proof hello.donjon examples/hello",
      output: /^Hello from inside a Keep\.$/m,
    },
    { command: "openssl rand -hex 32 > key.hex", output: /^$/ },
    {
      command:
        "npx donjon run --insecure --attest --secret SIGNING_KEY=@key.hex examples/signing-service",
      output: /^signing-service: ready, public key [0-9a-f]{64}$/m,
      readyWhen: "signing-service: ready",
      ports: [8444],
    },
    {
      command: `npx donjon attest ${SIMULATED_ROOT} https://127.0.0.1:8444`,
      output: /^INSECURE ACCEPTED[\s\S]*workload +sha256 [0-9a-f]{64}$/m,
      ports: [8444],
    },
    {
      command: `npx donjon attest --fresh --workload examples/signing-service/signing-service.wasm ${SIMULATED_ROOT} https://127.0.0.1:8444`,
      output: /^INSECURE ACCEPTED/m,
      ports: [8444],
    },
    {
      command: "openssl s_client -connect 127.0.0.1:8444 < /dev/null | openssl x509 -noout -text",
      output: /^ +1\.3\.6\.1\.5\.5\.7\.1\.35: $[\s\S]*donjon\/binding\/1/m,
      ports: [8444],
    },
    {
      command:
        'curl -k "https://127.0.0.1:8444/.well-known/donjon/attestation?nonce=$(openssl rand -hex 32)" -o evidence.cmw',
      output: /100/,
      ports: [8444],
    },
    {
      command:
        "openssl s_client -connect 127.0.0.1:8444 < /dev/null | openssl x509 -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary | base64 > key.pin",
      output: /verify error:num=18/,
      ports: [8444],
    },
    {
      command:
        'curl -k --pinnedpubkey "sha256//$(cat key.pin)" --data "The gate was closed at nine." https://127.0.0.1:8444/sign',
      output: /^[0-9a-f]{128}$/m,
      ports: [8444],
    },
    {
      command: "curl -k -X POST https://127.0.0.1:8444/stop",
      output: /^Stopping\.$/m,
      ports: [8444],
    },
  ],
  "packages/attest/README.md": [
    { command: "npx donjon explain report.bin", append: AT, output: /nothing here is proven/ },
    {
      command: "npx donjon verify report.bin -e vcek.der -e milan.crl --policy policy.toml",
      append: `${AT} ${MADE_UP} -e chain.pem`,
      output: /accepted/i,
    },
    {
      command:
        "npx donjon bundle report.bin vcek.der milan.crl --policy policy.toml -o proof.donjon",
      append: `${AT} ${MADE_UP} chain.pem`,
      output: /proof\.donjon/,
    },
    { command: "npx donjon verify proof.donjon", append: MADE_UP, output: /accepted/i },
    { command: "npx donjon diff report.bin other.bin", code: 1, output: /measurement/ },
  ],
  "CONTRIBUTING.md": [
    { command: "npm test", kind: "script", why: "runs this test" },
    { command: "npm test -- wasi", kind: "script", why: "runs tests inside a test" },
    {
      command: "npm run check",
      kind: "script",
      why: "runs before this test, and checks this list",
    },
    { command: "npm run format", kind: "script", why: "changes the working folder" },
  ],
};
