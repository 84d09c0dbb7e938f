import { decodeHex } from "@donjon/core/hex";
import type { Json } from "./plain.ts";

/** The report data of proven claims, whatever the kind; `undefined` for Nitro documents, which have none. */
export function reportDataOf(claims: Json): Uint8Array | undefined {
  const view = claims as {
    readonly [name: string]: { readonly reportData?: string } | string | undefined;
  };
  const holder = view["td"] ?? view["enclave"] ?? view;
  const text = typeof holder === "object" ? holder["reportData"] : undefined;
  return typeof text === "string" ? decodeHex(text) : undefined;
}
