import { DonjonError, type ErrorCode } from "@donjon/core/errors";

/** Keys and indexes from the root of the document. */
export type TomlPath = readonly (string | number)[];

/** A finding at a path; becomes a `DonjonError` once the text is at hand. */
export class ManifestFault extends Error {
  readonly code: ErrorCode;
  readonly path: TomlPath;
  readonly at: "key" | "value";

  constructor(code: ErrorCode, message: string, path: TomlPath, at: "key" | "value" = "value") {
    super(message);
    this.code = code;
    this.path = path;
    this.at = at;
  }
}

/** Makes a finding an error of the file; `locateFault` says the line and column too. */
export type ExplainFault = (fault: ManifestFault, text: string, file: string) => DonjonError;

export const explainFault: ExplainFault = ({ code, message, path }, _text, file) =>
  new DonjonError(code, `${file}: ${message}`, { details: { file, key: formatPath(path) } });

/** `listeners[0].port` */
export function formatPath(path: TomlPath): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    const key = /^[\w-]+$/.test(part) ? part : JSON.stringify(part);
    return text === "" ? key : `${text}.${key}`;
  }, "");
}
