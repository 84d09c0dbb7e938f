/** The listeners of a manifest: a name of its own for each, and what TLS serves with. */
import { ManifestFault } from "./fault.ts";
import type { ListenDescriptor, ManifestDescriptor } from "./manifest.ts";
import { suggestNearest } from "./suggest.ts";
import { type ListenToml, type ManifestToml, TLS_FIELDS } from "./table.ts";

/** What the author said and nothing else, so that it is written again as it was read. */
export function readListener(listener: ListenToml): ListenDescriptor {
  const said = Object.entries(listener).filter(([, value]) => value !== undefined);
  return { kind: "listen", ...(Object.fromEntries(said) as Omit<ListenDescriptor, "kind">) };
}

/** Names of the secrets that listeners use; the workload sees one only where it is granted as well. */
export function listListenerSecrets(descriptors: readonly ManifestDescriptor[]): Set<string> {
  const names = descriptors.flatMap((each) =>
    each.kind === "listen" ? [each.certificate, each.key] : [],
  );
  return new Set(names.filter((name) => name !== undefined));
}

/** @throws ManifestFault `manifest/value` */
export function checkListeners(
  toml: ManifestToml,
  descriptors: readonly ManifestDescriptor[],
): void {
  const list = toml.descriptors === undefined ? "listeners" : "descriptors";
  const first = toml.descriptors === undefined ? 3 : 0;
  const secrets = (toml.secrets ?? []).map(({ name }) => name);
  const seen = new Set<string>();
  descriptors.forEach((each, number) => {
    if (each.kind !== "listen") return;
    const refuse = (key: keyof ListenDescriptor, message: string) =>
      new ManifestFault("manifest/value", message, [list, number - first, key]);
    if (seen.has(each.name)) {
      throw refuse("name", `listener "${each.name}" is there twice; each needs a name of its own`);
    }
    seen.add(each.name);
    if (each.attestation && toml.sessions?.attest === "owner") {
      const message = `'attestation' answers anybody, and 'attest' of 'sessions' says only the owner may ask`;
      throw refuse("attestation", message);
    }
    checkTls(each, secrets, refuse);
  });
}

function checkTls(
  listener: ListenDescriptor,
  secrets: readonly string[],
  refuse: (key: keyof ListenDescriptor, message: string) => ManifestFault,
): void {
  for (const key of TLS_FIELDS) {
    if (listener[key] !== undefined && listener.protocol !== "tls") {
      throw refuse(key, `'${key}' is for protocol = "tls", and this is "${listener.protocol}"`);
    }
  }
  const pair = ["certificate", "key"] as const;
  const [given] = pair.filter((key) => listener[key] !== undefined);
  if (given === undefined) return;
  if (listener.names !== undefined) {
    throw refuse(
      "names",
      "the names are those of the certificate that is given; leave 'names' out",
    );
  }
  for (const key of pair) {
    const name = listener[key];
    if (name === undefined) {
      throw refuse(
        given,
        `'${given}' needs '${key}' beside it; both name a secret, or neither is there`,
      );
    }
    if (secrets.includes(name)) continue;
    const near = suggestNearest(name, secrets);
    const hint =
      near === null ? `add [[secrets]] with name = "${name}"` : `did you mean "${near}"?`;
    throw refuse(key, `there is no secret "${name}"; ${hint}`);
  }
}
