import { DonjonError } from "@donjon/core/errors";
import type { Manifest, ParseManifestOptions } from "./manifest.ts";

/** Placeholder signature until the parser lands in the next commit. */
export function parseManifest(_bytes: Uint8Array, _options: ParseManifestOptions = {}): Manifest {
  throw new DonjonError("internal", "the manifest parser is not written yet");
}
