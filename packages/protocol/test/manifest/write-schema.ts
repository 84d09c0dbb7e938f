/** Writes the published JSON Schema: `sh tools/node.sh packages/protocol/test/manifest/write-schema.ts`. */
import { writeFileSync } from "node:fs";
import { createManifestSchema } from "@donjon/protocol/manifest/json-schema";

const file = new URL("../../schema/donjon.schema.json", import.meta.url);
writeFileSync(file, `${JSON.stringify(createManifestSchema(), null, 2)}\n`);
