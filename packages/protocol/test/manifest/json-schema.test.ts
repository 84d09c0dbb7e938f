import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createManifestSchema } from "@donjon/protocol/manifest/json-schema";

test("the published schema is the parser's table", () => {
  const file = new URL("../../schema/donjon.schema.json", import.meta.url);
  const wanted = JSON.parse(JSON.stringify(createManifestSchema()));
  assert.deepEqual(
    JSON.parse(readFileSync(file, "utf8")),
    wanted,
    "run test/manifest/write-schema.ts",
  );
});
