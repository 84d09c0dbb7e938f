/** What the honest client of these tests would deliver: every part holds bytes that nothing else holds. */
import { createHash, randomBytes } from "node:crypto";
import type { Provision } from "@donjon/client/session";
import { encodeCatGuest } from "@donjon/testkit/contract/guests";

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

/** Bytes that the engine skips (WebAssembly core specification, 5.5.3). */
export function withCustomSection(module: Uint8Array, bytes: Uint8Array): Uint8Array {
  const body = Buffer.concat([Buffer.of(1, 0x78), bytes]);
  const size: number[] = [];
  for (let rest = body.length; ; rest >>>= 7) {
    size.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    if (rest <= 0x7f) break;
  }
  return Buffer.concat([module, Buffer.of(0, ...size), body]);
}

function cut(marker: Buffer): Buffer[] {
  const count = Math.floor(marker.length / PIECE_BYTES);
  return Array.from({ length: count }, (_, index) =>
    marker.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES),
  );
}
