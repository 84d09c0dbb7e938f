import type { LAYERS } from "../layers.ts";

/** The layers as the table of ARCHITECTURE.md, without a final line end. */
export function formatLayerTable(layers: typeof LAYERS): string {
  const rows = Object.entries(layers).map(([name, layer]) => {
    const imports = layer.packages.map((other) => `\`${other}\``).join(", ");
    const platform = layer.node ? "Node" : "ES + WebCrypto";
    return `| ${layer.level} | \`${name}\` | ${layer.says} | ${imports || "nothing"} | ${platform} |`;
  });
  return [
    "| Level | Package | Says | May import | Platform |",
    "|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}

/** The page with the table under its head `Layers` made new. Throws when there is none. */
export function replaceLayerTable(page: string, layers: typeof LAYERS): string {
  const table = /(^## Layers\n[^|]*)((?:\|.*\n)+)/m;
  if (!table.test(page)) throw new Error("there is no table under '## Layers'");
  return page.replace(table, (_, before: string) => `${before}${formatLayerTable(layers)}\n`);
}
