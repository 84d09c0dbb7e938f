/** The text of a policy for one image: what `donjon policy init` writes, and what holds when no policy is given. */

/** One accepted value and what it stands for. */
export interface ReferenceValue {
  /** Lower-case hex. */
  readonly value: string;
  /** For example `4 vCPUs of EPYC-Milan-v2`. */
  readonly about: string;
}

/** Keys are those of the policy's tables (docs/formats/policy.md). */
export interface ReferenceTable {
  readonly tee: "snp" | "tdx" | "sgx";
  readonly keys: Readonly<Record<string, readonly ReferenceValue[] | "any">>;
}

export interface PolicySubject {
  /** Image digests in lower-case hex; `null` for values that no image here gave. */
  readonly tables: readonly (ReferenceTable & { readonly imageDigest: string | null })[];
  /** A simulated security processor's: worthless as protection. */
  readonly simulated: boolean;
}

/** What each table says besides its measurements. Debug is refused without a word: it is the default. */
const ABOUT: Readonly<Record<ReferenceTable["tee"], { head: string; more: readonly string[] }>> = {
  snp: {
    head: "AMD SEV-SNP: a VM Keep. The launch digest covers firmware, kernel, initrd (the image) and command line.",
    more: [
      "# Firmware that the host could still roll back is refused; true accepts it.",
      "allow_provisional = false",
      "# Floors of the platform's TCB, once you know what your machines run:",
      "# minimum_reported_tcb = { bootloader = 4, tee = 0, snp = 24, microcode = 219 }",
      '# product = ["Milan", "Genoa", "Turin"]',
    ],
  },
  tdx: {
    head: "Intel TDX: a VM Keep. MRTD is the firmware; RTMR1 and RTMR2 are kernel, command line and initrd.",
    more: [
      "# A TCB that Intel calls anything else is refused; add, for example, SWHardeningNeeded.",
      'tcb_status = ["UpToDate"]',
    ],
  },
  sgx: {
    head: "Intel SGX: a process Keep. MRENCLAVE covers engine, runtime and libraries.",
    more: [
      "# A TCB that Intel calls anything else is refused; many machines need SWHardeningNeeded too.",
      'tcb_status = ["UpToDate"]',
    ],
  },
};

const SIMULATED = [
  "# SIMULATED: for Keeps that nothing protects. Anybody on the host can make such evidence; what it accepts",
  "# proves nothing, and every line about it says INSECURE.",
  "",
];

export function encodePolicyTemplate(subject: PolicySubject, now: Date): string {
  const digests = new Set(subject.tables.flatMap(({ imageDigest }) => imageDigest ?? []));
  const images = [...digests].map((digest) => `sha256:${digest}`).join(" and ");
  const lines = [
    "# What evidence of a Keep must say before anything is sent to it:",
    "#   donjon deploy --policy policy.toml TARGET",
    `# Written on ${now.toISOString().slice(0, 10)} for ${images || "no image of this machine"}.`,
    "# All keys, and what is refused when nothing is said: docs/formats/policy.md.",
    "# A kind of evidence without a table here is refused.",
    "",
    ...(subject.simulated ? SIMULATED : []),
    "# Report data binds session, manifest, workload and owner (docs/formats/binding.md).",
    "# The client computes it itself and compares, whatever stands here.",
    'report_data = "any"',
    ...subject.tables.flatMap((table) => ["", ...encodeTable(table)]),
  ];
  return `${lines.join("\n")}\n`;
}

function encodeTable({ tee, keys }: ReferenceTable): string[] {
  const { head, more } = ABOUT[tee];
  return [
    `# ${head}`,
    `[${tee}]`,
    ...Object.entries(keys).flatMap(([key, values]) => encodeValues(key, values)),
    ...more,
  ];
}

function encodeValues(key: string, values: readonly ReferenceValue[] | "any"): string[] {
  if (values === "any") return [`${key} = "any"`];
  // Paths are this machine's; none of them may end the comment.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: TOML allows none of them in a comment.
  const safe = (text: string) => text.replace(/[\u0000-\u001f\u007f]/g, "\ufffd");
  return [`${key} = [`, ...values.map(({ value, about }) => `  "${value}", # ${safe(about)}`), "]"];
}
