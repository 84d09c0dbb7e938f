import { DonjonError } from "@donjon/core/errors";
import { parse, TomlError } from "smol-toml";
import { MAX_MANIFEST_BYTES } from "../limits.ts";
import { type ExplainFault, ManifestFault } from "./fault.ts";
import { MAX_DEPTH } from "./limits.ts";

export interface TomlDocument {
  readonly file: string;
  readonly text: string;
  readonly root: Readonly<Record<string, unknown>>;
}

/**
 * Reads TOML 1.0 from bytes.
 *
 * @throws DonjonError `manifest/syntax` with line and column, `bytes/limit`
 */
export function parseDocument(bytes: Uint8Array, file: string): TomlDocument {
  if (bytes.length > MAX_MANIFEST_BYTES) {
    throw new DonjonError(
      "bytes/limit",
      `${file} has ${bytes.length} bytes, and a manifest may have at most ${MAX_MANIFEST_BYTES}`,
      { details: { file, size: bytes.length, limit: MAX_MANIFEST_BYTES } },
    );
  }
  const text = decodeText(bytes, file);
  try {
    return { file, text, root: parse(text, { maxDepth: MAX_DEPTH, integersAsBigInt: "asNeeded" }) };
  } catch (cause) {
    const { line, column } = cause instanceof TomlError ? cause : { line: 1, column: 1 };
    const reason = cause instanceof TomlError ? shortenReason(cause) : "it cannot be read as TOML";
    throw new DonjonError("manifest/syntax", `${file}:${line}:${column}: ${reason}`, {
      cause,
      details: { file, line, column },
    });
  }
}

/** Runs `read` over the document and makes its faults errors. */
export function readDocument<T>(
  document: TomlDocument,
  read: (root: unknown) => T,
  explain: ExplainFault,
): T {
  try {
    return read(document.root);
  } catch (error) {
    if (error instanceof ManifestFault) throw explain(error, document.text, document.file);
    throw error;
  }
}

function decodeText(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DonjonError("manifest/syntax", `${file}:1:1: it is not UTF-8 text`, {
      cause,
      details: { file, line: 1, column: 1 },
    });
  }
}

/** The parser's message without its heading and the excerpt of the text below it. */
function shortenReason(error: TomlError): string {
  return error.message.split("\n", 1)[0]!.replace("Invalid TOML document: ", "");
}
