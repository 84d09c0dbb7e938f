/** Looks through another process's memory (proc(5): maps, mem). */
import { closeSync, openSync, readFileSync, readlinkSync, readSync } from "node:fs";
import { holds, LONGEST_NEEDLE } from "./needles.ts";

const CHUNK_BYTES = 4 << 20;

interface Region {
  readonly start: number;
  readonly end: number;
}

/** Whether this machine lets one process read another's memory, by trying it. */
export function canReadMemory(pid: number): boolean {
  try {
    closeSync(openSync(`/proc/${pid}/mem`, "r"));
    return true;
  } catch {
    return false;
  }
}

export interface MemorySearch {
  /** For each set of needles, whether it was found. */
  readonly found: readonly boolean[];
  readonly bytes: number;
}

export function searchMemory(pid: number, sets: readonly (readonly Buffer[])[]): MemorySearch {
  const found = sets.map(() => false);
  const memory = openSync(`/proc/${pid}/mem`, "r");
  const chunk = Buffer.alloc(CHUNK_BYTES + LONGEST_NEEDLE);
  let bytes = 0;
  try {
    for (const { start, end } of listRegions(pid)) {
      for (let at = start; at < end; at += CHUNK_BYTES) {
        const piece = readPiece(memory, chunk, at, Math.min(chunk.length, end - at));
        bytes += piece.length;
        sets.forEach((needles, index) => {
          found[index] ||= holds(piece, needles);
        });
      }
    }
  } finally {
    closeSync(memory);
  }
  return { found, bytes };
}

/** What is readable, but for unchanged pages of the engine's own file. */
function listRegions(pid: number): Region[] {
  const engine = readlinkSync(`/proc/${pid}/exe`);
  const lines = readFileSync(`/proc/${pid}/maps`, "utf8").trimEnd().split("\n");
  return lines.flatMap((line) => {
    const [range = "", flags = "", , , , path = ""] = line.split(/\s+/);
    if (!flags.startsWith("r") || path.startsWith("[v")) return [];
    if (path === engine && flags[1] !== "w") return [];
    const [start = 0, end = 0] = range.split("-").map((text) => Number.parseInt(text, 16));
    return [{ start, end }];
  });
}

/** A page that went away meanwhile is no error. */
function readPiece(memory: number, chunk: Buffer, at: number, length: number): Buffer {
  try {
    return chunk.subarray(0, readSync(memory, chunk, 0, length, at));
  } catch {
    return chunk.subarray(0, 0);
  }
}
