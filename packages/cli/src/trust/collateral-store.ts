/** Certificates and lists of the vendors, kept between commands. What is in it is verified at every use. */
import { randomBytes } from "node:crypto";
import { promises as files } from "node:fs";
import { join } from "node:path";
import { type CollateralStore, createFileStore } from "@donjon/attest/collateral";
import { makeDirectory } from "@donjon/host/files/make-directory";
import { collateralCacheDirectory } from "@donjon/host/image/places";

export function openCollateralStore(directory = collateralCacheDirectory()): CollateralStore {
  return createFileStore({
    async read(name) {
      try {
        return new Uint8Array(await files.readFile(join(directory, name)));
      } catch {
        return undefined;
      }
    },
    async write(name, bytes) {
      const draft = join(directory, `${name}.${randomBytes(6).toString("hex")}`);
      makeDirectory(directory);
      await files.writeFile(draft, bytes, { mode: 0o600 });
      await files.rename(draft, join(directory, name));
    },
  });
}
