/** What the honest client of these tests would deliver: every part holds bytes that nothing else holds. */
import { createHash, randomBytes } from "node:crypto";
import type { Provision } from "@donjon/client/session";
import { encodeCatGuest, withCustomSection } from "@donjon/testkit/contract/guests";

/** Octets of the workload at least: whoever has sent less than this has not sent it. */
export const WORKLOAD_BYTES = 64 << 10;
/** A piece of a marker that is looked for: half of one is found as well. */
const PIECE_BYTES = 8;

export interface Planted {
  readonly provision: Provision;
  readonly stdin: Uint8Array;
  /** Pieces of which none may be seen by anybody else. */
  readonly pieces: readonly Buffer[];
}

export function createPlanted(workload: Uint8Array = encodeCatGuest()): Planted {
  const name = randomBytes(16).toString("hex");
  const secret = randomBytes(32);
  const stdin = randomBytes(32);
  const inWorkload = randomBytes(WORKLOAD_BYTES);
  const module = withCustomSection(workload, inWorkload);
  const digest = createHash("sha256").update(module).digest("hex");
  const manifest = Buffer.from(
    `[workload]\nsha256 = "${digest}"\n[env]\nPLANTED = "${name}"\n[[secrets]]\nname = "key"\nfile = "/secrets/key"\n`,
  );
  return {
    provision: { manifest, workload: module, secrets: new Map([["key", secret]]), trees: [] },
    stdin,
    pieces: [Buffer.from(name), secret, stdin, inWorkload.subarray(0, 64)].flatMap(cut),
  };
}

/** The first of the pieces that `bytes` holds. */
export function findPiece(bytes: Buffer, { pieces }: Planted): Buffer | undefined {
  return pieces.find((piece) => bytes.includes(piece));
}

function cut(marker: Buffer): Buffer[] {
  const count = Math.floor(marker.length / PIECE_BYTES);
  return Array.from({ length: count }, (_, index) =>
    marker.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES),
  );
}
