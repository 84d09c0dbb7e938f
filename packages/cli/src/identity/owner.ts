import { type ClientIdentity, identityOfKey } from "@donjon/client/attested/identity";
import { openOwnerKey } from "./owner-key.ts";

/** Who this user is to Keeps. @throws DonjonError as `openOwnerKey` */
export function openOwner(file?: string): ClientIdentity {
  return identityOfKey(openOwnerKey(file), Date.now());
}
