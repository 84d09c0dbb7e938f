/** One machine's secrets: its chip's identity and the keys of its vendors, which on real hardware nobody but a vendor has. */
import { type KeyObject, randomBytes } from "node:crypto";
import { join } from "node:path";
import { parseStrictJson } from "@donjon/attest/intel/strict-json";
import { fingerprintRoots } from "@donjon/attest/simulated-trust";
import { decodeBase64, encodeBase64 } from "@donjon/core/base64";
import { DonjonError } from "@donjon/core/errors";
import { encodeHex } from "@donjon/core/hex";
import {
  encodeKeyPair,
  encodePublicKey,
  importKeyPair,
  type KeyKind,
  type KeyPair,
  makeKeyPair,
  readPrivateKey,
} from "./certificates/key-pair.ts";
import { createPrivateFile, readPrivateFile } from "./private-files.ts";

const KEY_KINDS = {
  ark: "rsa-pss",
  ask: "rsa-pss",
  vcek: "P-384",
  intelRoot: "P-256",
  platformCa: "P-256",
  tcbSigner: "P-256",
  pck: "P-256",
} as const satisfies Readonly<Record<string, KeyKind>>;

export type KeyName = keyof typeof KEY_KINDS;

export interface Machine {
  /** The file that it was read from. */
  readonly path: string;
  /** As in the machine's trust. */
  readonly fingerprint: string;
  /** 64 octets. */
  readonly chipId: Uint8Array;
  /** PKCS #8, DER. */
  readonly keys: Readonly<Record<KeyName, Uint8Array>>;
}

type Facts = Omit<Machine, "path">;

const FORMAT = "donjon/simulated-keys/1";
const CHIP_ID_BYTES = 64;
const MAX_FILE_BYTES = 65_536;
const NAMES = Object.keys(KEY_KINDS) as readonly KeyName[];

/**
 * The machine in a directory, made there at first use.
 * @throws DonjonError `files/read`, `files/write`
 */
export async function openMachine(directory: string): Promise<Machine> {
  const path = join(directory, "keys.json");
  const text = readPrivateFile(path, MAX_FILE_BYTES);
  if (text !== undefined) return parseMachine(text, path);
  createPrivateFile(path, encodeMachine(await makeMachine()));
  // What counts is what is there: another process may have been first.
  return parseMachine(readPrivateFile(path, MAX_FILE_BYTES) ?? "", path);
}

async function makeMachine(): Promise<Facts> {
  const entries = await Promise.all(
    NAMES.map(async (name) => [name, await encodeKeyPair(await makeKeyPair(KEY_KINDS[name]))]),
  );
  const keys: Machine["keys"] = Object.fromEntries(entries);
  const spki = (name: KeyName) =>
    encodeBase64(encodePublicKey(readPrivateKey(KEY_KINDS[name], keys[name])));
  return {
    fingerprint: fingerprintRoots(spki("ark"), spki("intelRoot")),
    chipId: randomBytes(CHIP_ID_BYTES),
    keys,
  };
}

function encodeMachine({ fingerprint, chipId, keys }: Facts): string {
  const encoded = Object.fromEntries(NAMES.map((name) => [name, encodeBase64(keys[name])]));
  return `${JSON.stringify({ format: FORMAT, fingerprint, chipId: encodeHex(chipId), keys: encoded })}\n`;
}

function parseMachine(text: string, path: string): Machine {
  try {
    const json = parseStrictJson(text);
    json.refuseOthers("format", "fingerprint", "chipId", "keys");
    if (json.string("format") !== FORMAT)
      throw new DonjonError("bytes/invalid", `another format than ${FORMAT}`);
    const keys = json.object("keys");
    keys.refuseOthers(...NAMES);
    const entries = NAMES.map((name) => [name, decodeBase64(keys.string(name))]);
    return {
      path,
      fingerprint: encodeHex(json.hex("fingerprint", 32)),
      chipId: json.hex("chipId", CHIP_ID_BYTES),
      keys: Object.fromEntries(entries),
    };
  } catch (cause) {
    if (!(cause instanceof DonjonError)) throw cause;
    throw unusable(path, cause);
  }
}

/** @throws DonjonError `files/read` when it is no key of its kind */
export function readMachineKey({ keys, path }: Machine, name: KeyName): KeyObject {
  try {
    return readPrivateKey(KEY_KINDS[name], keys[name]);
  } catch (cause) {
    if (cause instanceof DonjonError) throw unusable(path, cause);
    throw cause;
  }
}

/** As `readMachineKey`, all of them, for what issues certificates. */
export async function importMachineKeys(
  machine: Machine,
): Promise<Readonly<Record<KeyName, KeyPair>>> {
  for (const name of NAMES) readMachineKey(machine, name);
  const pairs = NAMES.map(async (name) => {
    return [name, await importKeyPair(KEY_KINDS[name], machine.keys[name])] as const;
  });
  return Object.fromEntries(await Promise.all(pairs)) as Record<KeyName, KeyPair>;
}

/** For files of a machine that cannot be read as such. */
export function unusable(
  path: string,
  cause: Error,
  remedy = "remove its directory to start another",
): DonjonError {
  const message = `Cannot use the simulated security processor's file '${path}': ${cause.message}; ${remedy}`;
  return new DonjonError("files/read", message, { cause });
}
