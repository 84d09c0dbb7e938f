/** SHA-256 by the faster way: the engine's own library takes longer to load than a small input to hash. */
import { hashSmall, SMALL_BYTES } from "@donjon/core/sha256";

/** Lower-case hex. */
export function hashSha256(bytes: Uint8Array): string {
  if (bytes.length <= SMALL_BYTES) return hashSmall(bytes);
  return process.getBuiltinModule("node:crypto").hash("sha256", bytes, "hex");
}
