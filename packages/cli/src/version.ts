import manifest from "../package.json" with { type: "json" };

/** The one version of all packages. */
export const VERSION: string = manifest.version;
