import { locateFault } from "./locate.ts";
import type { Manifest, ParseManifestOptions } from "./manifest.ts";
import { readManifest } from "./read-manifest.ts";

/**
 * Reads a `donjon.toml` for its author.
 *
 * @throws DonjonError `manifest/syntax`, `manifest/unknown-key`, `manifest/value` (all with line and
 *   column in the message and in `details`), `manifest/digest` when a digest is missing and the
 *   manifest is not read as a draft, `bytes/limit`
 */
export function parseManifest(bytes: Uint8Array, options: ParseManifestOptions = {}): Manifest {
  return readManifest(bytes, options, locateFault);
}
