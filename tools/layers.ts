/**
 * The layering rule (ARCHITECTURE.md prints the same table): a package imports only what its line
 * names. `check-layers.ts` proves it.
 */
export interface Layer {
  readonly level: "L0" | "L1" | "L2" | "L3" | "aside";
  readonly says: string;
  /** Packages of this repository that it may import. */
  readonly packages: readonly string[];
  /** Third-party packages that its sources may import. */
  readonly thirdParty: readonly string[];
  /** Whether its sources may import `node:` modules. */
  readonly node: boolean;
}

export const LAYERS: Readonly<Record<string, Layer>> = {
  core: {
    level: "L0",
    says: "bytes and values: errors, cursor, layouts, DER, X.509",
    packages: [],
    thirdParty: [],
    node: false,
  },
  attest: {
    level: "L1",
    says: "parse, verify, appraise evidence",
    packages: ["core"],
    thirdParty: ["cborg", "smol-toml", "jose"],
    node: false,
  },
  wasi: {
    level: "L1",
    says: "WASI over injected capabilities",
    packages: ["core"],
    thirdParty: [],
    node: false,
  },
  protocol: {
    level: "L1",
    says: "gate, session, manifest",
    packages: ["core"],
    thirdParty: ["smol-toml", "cborg"],
    node: false,
  },
  keep: {
    level: "L2",
    says: "runs inside the TEE; every byte is measured",
    packages: ["core", "attest", "wasi", "protocol"],
    thirdParty: [],
    node: true,
  },
  host: {
    level: "L2",
    says: "the untrusted side: backends, gate, listeners",
    packages: ["core", "protocol"],
    thirdParty: ["hono", "@hono/node-server"],
    node: true,
  },
  client: {
    level: "L2",
    says: "the relying party: session, provisioning, streams, trees",
    packages: ["core", "attest", "protocol", "wasi"],
    thirdParty: [],
    node: true,
  },
  simtee: {
    level: "L2",
    says: "simulated security processor",
    packages: ["core", "attest"],
    thirdParty: ["@peculiar/x509", "reflect-metadata"],
    node: true,
  },
  cli: {
    level: "L3",
    says: "the `donjon` command",
    packages: ["core", "attest", "protocol", "host", "client", "simtee", "wasi"],
    thirdParty: ["commander", "@clack/prompts", "smol-toml"],
    node: true,
  },
  console: {
    level: "L3",
    says: "web page",
    packages: ["core", "attest", "client"],
    thirdParty: [],
    node: false,
  },
  testkit: {
    level: "aside",
    says: "fake vendors, contract suites; never shipped",
    packages: ["core", "attest", "wasi", "protocol", "client", "host", "keep", "simtee"],
    thirdParty: ["@peculiar/x509", "pkijs", "asn1js", "cborg", "fast-check", "reflect-metadata"],
    node: true,
  },
};
