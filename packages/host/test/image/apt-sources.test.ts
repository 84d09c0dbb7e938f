import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { createSources } from "../../src/image/apt-sources.ts";

const folder = mkdtempSync(join(tmpdir(), "donjon-sources-"));
after(() => rmSync(folder, { recursive: true }));
let count = 0;

function writeApt(files: Readonly<Record<string, string>>): string {
  const directory = join(folder, String(count++));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return directory;
}

const DEB822 = `Types: deb deb-src
# a comment
URIs: http://mirror.example/debian
Suites: trixie trixie-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian.gpg

Types: deb
URIs: http://mirror.example/security
Suites: trixie-security
Components: main
`;

test("deb822 sources of the machine's release are copied for another, security updates included", () => {
  const directory = writeApt({ "sources.list.d/debian.sources": DEB822 });
  assert.equal(
    createSources(directory, "trixie", "bookworm"),
    `Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main contrib
Signed-By: /usr/share/keyrings/debian.gpg

Types: deb
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main
`,
  );
});

test("sources of one line give the same, options and comments included", () => {
  const directory = writeApt({
    "sources.list": `deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian trixie main # ours
deb-src http://mirror.example/debian trixie main
# deb http://other.example/debian trixie main
deb http://mirror.example/security trixie-security main
`,
  });
  assert.equal(
    createSources(directory, "trixie", "trixie", ["-backports"]),
    `Types: deb
URIs: http://mirror.example/debian
Suites: trixie-backports
Components: main
Signed-By: /k.gpg
`,
  );
});

test("a key that stands in the source itself is kept whole", () => {
  const key =
    "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc=\n -----END PGP PUBLIC KEY BLOCK-----\n";
  const text = `Types: deb\nURIs: http://m.example/\nSuites: trixie\nComponents: main\n${key}`;
  const directory = writeApt({ "sources.list.d/a.sources": text });
  assert.match(
    createSources(directory, "trixie", "trixie", ["-backports"]),
    / \.\n abc=\n -----END/,
  );
});

test("disabled sources, sources of other releases and files of other kinds give nothing", () => {
  const directory = writeApt({
    "sources.list.d/off.sources": DEB822.replace("Types: deb deb-src", "Enabled: no\nTypes: deb"),
    "sources.list.d/debian.sources.disabled": DEB822,
    "sources.list.d/other.list": "deb http://mirror.example/other stable main\n",
  });
  assert.doesNotMatch(createSources(directory, "trixie", "bookworm"), /debian$/m);
  assert.equal(createSources(directory, "none", "bookworm"), "");
  assert.equal(createSources(join(folder, "missing"), "trixie", "bookworm"), "");
});

test("the same source in two files is copied once", () => {
  const line = "deb http://mirror.example/debian trixie main\n";
  const directory = writeApt({ "sources.list": line, "sources.list.d/again.list": line });
  const text = createSources(directory, "trixie", "bookworm", ["-backports"]);
  assert.equal(text.match(/^Types:/gm)!.length, 1);
});
