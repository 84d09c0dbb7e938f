/** The file of reference values that `donjon image measure` writes: a policy, with what it was computed from as comments. */

export interface MeasuredFile {
  readonly path: string;
  /** Lower-case hex. */
  readonly sha256: string;
}

export interface ReferenceValues {
  readonly tee: "snp" | "tdx";
  /** The table of a policy (docs/formats/policy.md); values in lower-case hex. */
  readonly policy: Readonly<Record<string, readonly string[]>>;
  /** Lower-case hex. */
  readonly imageDigest: string;
  readonly commandLine: string;
  readonly files: Readonly<Record<"firmware" | "kernel" | "initrd", MeasuredFile>>;
  /** What else the values depend on, line by line. */
  readonly machine: readonly string[];
  /** What has to hold for them to be right, line by line. */
  readonly assumptions: readonly string[];
}

/** TOML that `donjon verify --policy` reads (docs/formats/launch-measurement.md). */
export function encodeReferenceValues(values: ReferenceValues): string {
  const { tee, policy, files } = values;
  const table = Object.entries(policy).map(
    ([key, list]) => `${key} = [${list.map((value) => `"${value}"`).join(", ")}]`,
  );
  const comments = [
    `Reference values of a Donjon Keep image for ${tee.toUpperCase()}, computed beforehand: a policy for 'donjon verify --policy'.`,
    `image     ${values.imageDigest}`,
    ...Object.entries(files).map(
      ([name, { path, sha256 }]) => `${name.padEnd(9)} sha256 ${sha256} ${path}`,
    ),
    `cmdline   ${JSON.stringify(values.commandLine)}`,
    ...values.machine.map((line) => `machine   ${line}`),
    ...values.assumptions.map((line) => `assumed   ${line}`),
    "",
    "A session sets report_data itself. For evidence by itself, say here what it has to be bound to:",
    'report_data = "64 octets in hexadecimal"',
  ];
  return `${comments.map(toComment).join("\n")}\n\n[${tee}]\n${table.join("\n")}\n`;
}

/** Paths are this machine's; none of them may end the comment. */
function toComment(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: TOML allows none of them in a comment.
  return `# ${line.replace(/[\u0000-\u001f\u007f]/g, "\ufffd")}`.trimEnd();
}
