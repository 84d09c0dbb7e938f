import { DonjonError, type ErrorCode } from "@donjon/core/errors";
import { findPosition } from "./position.ts";

/** Keys and indexes from the root of the document. */
export type TomlPath = readonly (string | number)[];

/** A finding at a path; becomes a `DonjonError` with line and column once the text is at hand. */
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

export function locateFault(fault: ManifestFault, text: string, file: string): DonjonError {
  const { line, column } = findPosition(text, fault.path, fault.at);
  return new DonjonError(fault.code, `${file}:${line}:${column}: ${fault.message}`, {
    details: { file, line, column, key: formatPath(fault.path) },
  });
}

/** `listeners[0].port` */
export function formatPath(path: TomlPath): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    const key = /^[\w-]+$/.test(part) ? part : JSON.stringify(part);
    return text === "" ? key : `${text}.${key}`;
  }, "");
}
